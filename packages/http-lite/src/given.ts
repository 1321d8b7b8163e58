// The fields that a program wants to send: checked, gathered as text, and what they say about the things that the
// session decides itself. It knows no message and no connection.
import { localError } from "./errors.ts";
import type { HeadersInit } from "./messages.ts";
import { isFieldValue, isToken, parseList } from "./wire.ts";

/** Reused from message to message. */
export class GivenFields {
  /** The field lines, without those below that the session writes. */
  text = "";
  /** Content-Length; -1 when it is not given. */
  length = -1;
  /** Connection: close */
  close = false;
  /** There is a Date. */
  date = false;
  /** There is a Content-Type. */
  type = false;
  /** Host lines. */
  hosts = 0;

  /** Checks the program's fields and gathers them as text, apart from those that the session writes itself. */
  read(headers: HeadersInit | undefined): void {
    this.text = "";
    this.length = -1;
    this.close = false;
    this.date = false;
    this.type = false;
    this.hosts = 0;
    if (headers === undefined) return;
    if (Symbol.iterator in headers) {
      for (const [name, value] of headers as Iterable<readonly [string, string]>) this.#add(name, value);
      return;
    }
    for (const name of Object.keys(headers)) {
      const value = headers[name];
      if (typeof value === "string") this.#add(name, value);
      else if (typeof value === "number") this.#add(name, String(value));
      else if (value !== undefined) for (const line of value) this.#add(name, line);
    }
  }

  #add(name: string, value: string): void {
    const kind = kindOf(name);
    if (!isFieldValue(value)) {
      throw localError("bad-reply", `the value of ${name} holds a control character or one above U+00FF`);
    }
    switch (kind) {
      case "content-length":
        if (this.length >= 0 || !/^[0-9]{1,15}$/.test(value)) {
          throw localError("bad-reply", "Content-Length is given once, in digits");
        }
        this.length = Number(value);
        return;
      case "connection":
        for (const option of parseList(value, 0) ?? []) {
          if (option.toLowerCase() === "close") this.close = true;
          else if (option.toLowerCase() !== "keep-alive") {
            throw localError("bad-reply", `Connection: ${option} is not offered: close and keep-alive are`);
          }
        }
        return;
      case "transfer-encoding":
        throw localError("bad-reply", "Transfer-Encoding is made by the session: leave it out");
      case "date":
        this.date = true;
        break;
      case "content-type":
        this.type = true;
        break;
      case "host":
        this.hosts++;
        break;
      case "other":
    }
    this.text += `${name}: ${value}\r\n`;
  }
}

type FieldKind =
  | "content-length"
  | "connection"
  | "transfer-encoding"
  | "date"
  | "content-type"
  | "host"
  | "other";
const KINDS: ReadonlySet<string> = new Set([
  "content-length",
  "connection",
  "transfer-encoding",
  "date",
  "content-type",
  "host",
]);

/** Names already found to be tokens, and what they mean here. A program uses few; bounded all the same. */
const knownNames = new Map<string, FieldKind>();
const MOST_KNOWN_NAMES = 1024;

function kindOf(name: string): FieldKind {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  if (!isToken(name)) throw localError("bad-reply", `${JSON.stringify(name)} is not a field name`);
  const lower = name.toLowerCase();
  const kind = KINDS.has(lower) ? (lower as FieldKind) : "other";
  if (knownNames.size < MOST_KNOWN_NAMES) knownNames.set(name, kind);
  return kind;
}
