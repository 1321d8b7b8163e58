// The fields that a program wants to send: checked, gathered as text, and what they say about the things that the
// session decides itself. It knows no message and no connection.
import { localError } from "./errors.ts";
import type { HeadersInit } from "./messages.ts";
import { flat } from "./repeated.ts";
import { isFieldValue, isToken, parseList } from "./wire.ts";

const NO_PROTOCOLS: readonly string[] = [];

/** Reused from message to message. */
export class GivenFields {
  /** The field lines, without those below that the session writes. */
  text = "";
  /** Content-Length; -1 when it is not given. */
  length = -1;
  /** Connection: close */
  close = false;
  /** Connection: upgrade */
  upgrades = false;
  /** The protocols of the Upgrade lines. */
  protocols: readonly string[] = NO_PROTOCOLS;
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
    this.upgrades = false;
    this.protocols = NO_PROTOCOLS;
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
    const known = knownName(name);
    if (value !== known.value) known.checked(name, value);
    else if (!known.flat) known.flatten();
    switch (known.kind) {
      case "content-length":
        if (this.length >= 0 || !/^[0-9]{1,15}$/.test(value)) {
          throw localError("bad-reply", "Content-Length is given once, in digits");
        }
        this.length = Number(value);
        return;
      case "connection":
        for (const option of parseList(value, 0) ?? []) {
          if (option.toLowerCase() === "close") this.close = true;
          else if (option.toLowerCase() === "upgrade") this.upgrades = true;
          else if (option.toLowerCase() !== "keep-alive") {
            throw localError("bad-reply", `Connection: ${option} is not offered: close and keep-alive are`);
          }
        }
        return;
      case "transfer-encoding":
        throw localError("bad-reply", "Transfer-Encoding is made by the session: leave it out");
      case "upgrade":
        this.protocols = [...this.protocols, ...(parseList(value, 0) ?? [])];
        break;
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
    this.text += known.line;
  }
}

type FieldKind =
  | "content-length"
  | "connection"
  | "transfer-encoding"
  | "upgrade"
  | "date"
  | "content-type"
  | "host"
  | "other";
const KINDS: ReadonlySet<string> = new Set([
  "content-length",
  "connection",
  "transfer-encoding",
  "upgrade",
  "date",
  "content-type",
  "host",
]);

/** A name that was found to be a token, what it means here, and the latest line with it: in most replies it is the same. */
class KnownName {
  readonly kind: FieldKind;
  value: string | undefined;
  line = "";
  flat = false;

  constructor(name: string) {
    if (!isToken(name)) throw localError("bad-reply", `${JSON.stringify(name)} is not a field name`);
    const lower = name.toLowerCase();
    this.kind = KINDS.has(lower) ? (lower as FieldKind) : "other";
  }

  /** Another value than the last one. */
  checked(name: string, value: string): void {
    if (!isFieldValue(value)) {
      throw localError("bad-reply", `the value of ${name} holds a control character or one above U+00FF`);
    }
    this.line = `${name}: ${value}\r\n`;
    this.flat = false;
    // A long one is not worth keeping.
    this.value = value.length > LONGEST_KEPT ? undefined : value;
  }

  /** It comes a second time, and so will more often: see repeated.ts. */
  flatten(): void {
    this.line = flat(this.line);
    this.flat = true;
  }
}

/** A program uses few names; bounded all the same. */
const knownNames = new Map<string, KnownName>();
const MOST_KNOWN_NAMES = 1024;
const LONGEST_KEPT = 256;

function knownName(name: string): KnownName {
  let known = knownNames.get(name);
  if (known === undefined) {
    known = new KnownName(name);
    if (knownNames.size < MOST_KNOWN_NAMES) knownNames.set(name, known);
  }
  return known;
}
