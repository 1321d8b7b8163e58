// What a head means for the bytes behind it: which body follows and whether the connection persists.
// It reads the fields that decide this, and no others. RFC 9112 §6.3, §9.3.
import { HttpError } from "./errors.ts";
import type { HeadScanner } from "./head.ts";
import { MAX_EMPTY_LIST_MEMBERS } from "./limits.ts";
import { COLON, HOST_BYTE, isAuthority, isProtocol, isToken, parseList, trimOws } from "./wire.ts";

/** How the end of a body is known (RFC 9112 §6.3). */
export type Framing =
  /** There is no body: the message ends with its head. */
  | { readonly type: "none" }
  /** Exactly `length` bytes follow, at least one. */
  | { readonly type: "length"; readonly length: number }
  /** Chunks follow, then trailers. */
  | { readonly type: "chunked" }
  /** The body goes on until the connection ends: replies only. */
  | { readonly type: "close" };

const NOTHING_OFFERED: readonly string[] = [];
const NONE: Framing = { type: "none" };
const CHUNKED: Framing = { type: "chunked" };
const UNTIL_CLOSE: Framing = { type: "close" };

/** The fields that decide framing and persistence, gathered from one head. Reused from head to head. */
export class Meaning {
  framing: Framing = NONE;
  /** The connection may carry another message after this one. */
  persists = true;
  /** Expect: 100-continue */
  expectsContinue = false;
  /** The protocols that a client would switch to. */
  upgrade: readonly string[] = NOTHING_OFFERED;

  #hasHost = false;
  #length = -1;
  #chunked = false;
  #close = false;
  #keepAlive = false;
  /** Connection: upgrade */
  #upgrades = false;
  /** The lines of Upgrade, joined. */
  #protocols = "";

  /** Reads a request's head. @throws HttpError `bad-host`, `bad-content-length`, … */
  readRequest(scanner: HeadScanner, buffer: Buffer, start: number, offset: number): void {
    const { line } = scanner;
    this.#read(scanner, buffer, start, offset, true);
    if (!this.#hasHost && line.minor > 0) {
      throw new HttpError("bad-host", "HTTP/1.1 needs a Host field (RFC 9112 §3.2)", { offset });
    }
    if (line.minor === 0) this.expectsContinue = false;
    // Without the connection option it was for somebody before us; HTTP/1.0 knows none (RFC 9110 §7.8).
    const upgrades = this.#upgrades && line.minor > 0;
    this.upgrade = upgrades ? readProtocols(this.#protocols, offset) : NOTHING_OFFERED;
    if (this.#chunked) this.framing = CHUNKED;
    else this.framing = this.#length > 0 ? { type: "length", length: this.#length } : NONE;
  }

  /** Reads a reply's head; `method` is that of the request it answers. */
  readResponse(scanner: HeadScanner, buffer: Buffer, start: number, offset: number, method: string): void {
    this.#read(scanner, buffer, start, offset, false);
    const { status } = scanner.line;
    // RFC 9112 §6.3 rules 1 and 2: these have no body whatever their fields say.
    if (status < 200 || status === 204 || status === 304 || method === "HEAD") this.framing = NONE;
    else if (this.#chunked) this.framing = CHUNKED;
    else if (this.#length < 0) this.framing = UNTIL_CLOSE;
    else this.framing = this.#length > 0 ? { type: "length", length: this.#length } : NONE;
    if (this.framing.type === "close") this.persists = false;
  }

  /** Host and Expect say something in requests alone. */
  #read(scanner: HeadScanner, buffer: Buffer, start: number, offset: number, isRequest: boolean): void {
    this.expectsContinue = false;
    this.#hasHost = false;
    this.#length = -1;
    this.#chunked = false;
    this.#close = false;
    this.#keepAlive = false;
    this.#upgrades = false;
    this.#protocols = "";
    const { spans } = scanner.fields;
    const { minor } = scanner.line;
    for (let at = 0; at < spans.length; at += 4) {
      const name = start + spans[at]!;
      const from = start + spans[at + 2]!;
      const to = start + spans[at + 3]!;
      const where = offset + spans[at]!;
      // The six that matter differ in length. What is most common in a request falls through at once.
      switch (spans[at + 1]! - spans[at]!) {
        case 4:
          if (isRequest && is(buffer, name, "host")) this.#readHost(buffer, from, to, where);
          break;
        case 6:
          if (isRequest && is(buffer, name, "expect")) {
            this.#readExpect(buffer.toString("latin1", from, to), where, minor);
          }
          break;
        case 7:
          if (is(buffer, name, "upgrade")) this.#protocols += `,${buffer.toString("latin1", from, to)}`;
          break;
        case 10:
          if (is(buffer, name, "connection")) this.#readConnection(buffer, from, to, where);
          break;
        case 14:
          if (is(buffer, name, "content-length")) this.#readLength(buffer, from, to, where);
          break;
        case 17:
          if (is(buffer, name, "transfer-encoding")) {
            this.#readCodings(buffer.toString("latin1", from, to), where, minor);
          }
          break;
        default:
      }
    }
    if (this.#chunked && this.#length >= 0) {
      // Two ways to end one body is how requests are smuggled (RFC 9112 §6.1).
      throw new HttpError("conflicting-framing", "Transfer-Encoding and Content-Length together", { offset });
    }
    this.persists = !this.#close && (minor > 0 || this.#keepAlive);
  }

  /** RFC 9112 §3.2: one line, also where a second has the same value. */
  #readHost(buffer: Buffer, from: number, to: number, offset: number): void {
    if (this.#hasHost) throw new HttpError("bad-host", "more than one Host field", { offset });
    this.#hasHost = true;
    // A plain name or IPv4 address needs no string; "[::1]" or "%41" is looked at closely.
    let at = from;
    while (at < to && HOST_BYTE[buffer[at]!] === 1) at++;
    if (at > from && (at === to || isPort(buffer, at, to))) return;
    if (!isAuthority(buffer.toString("latin1", from, to))) {
      throw new HttpError("bad-host", "Host is host or host:port", { offset });
    }
  }

  /** Expectation (RFC 9110 §10.1.1); a member that is not understood is 417. HTTP/1.0 knows none. */
  #readExpect(value: string, offset: number, minor: number): void {
    for (const member of members(value, offset)) {
      if (member.toLowerCase() === "100-continue") this.expectsContinue = true;
      else if (minor > 0) {
        throw new HttpError("unknown-expectation", "only 100-continue can be expected", {
          status: 417,
          offset,
        });
      }
    }
  }

  /** Connection = #connection-option (RFC 9110 §7.6.1) */
  #readConnection(buffer: Buffer, from: number, to: number, offset: number): void {
    // What browsers and most programs send needs no string.
    if (to - from === 10 && is(buffer, from, "keep-alive")) {
      this.#keepAlive = true;
      return;
    }
    for (const member of members(buffer.toString("latin1", from, to), offset)) {
      if (!isToken(member)) throw new HttpError("bad-field", "a connection option is a token", { offset });
      const option = member.toLowerCase();
      if (option === "close") this.#close = true;
      else if (option === "keep-alive") this.#keepAlive = true;
      else if (option === "upgrade") this.#upgrades = true;
    }
  }

  /** Content-Length = 1*DIGIT (RFC 9110 §8.6); repeated, even with the same value: refused. */
  #readLength(buffer: Buffer, from: number, to: number, offset: number): void {
    if (this.#length >= 0)
      throw new HttpError("bad-content-length", "Content-Length is repeated", { offset });
    if (from === to) throw new HttpError("bad-content-length", "Content-Length is empty", { offset });
    let length = 0;
    for (let at = from; at < to; at++) {
      const digit = buffer[at]! - 48;
      if (digit < 0 || digit > 9) {
        throw new HttpError("bad-content-length", "Content-Length is digits and nothing else", { offset });
      }
      length = length * 10 + digit;
      if (length > Number.MAX_SAFE_INTEGER) {
        throw new HttpError("bad-content-length", "Content-Length is over 2^53-1", { offset });
      }
    }
    this.#length = length;
  }

  /**
   * Transfer-Encoding = #transfer-coding (RFC 9112 §6.1). Only `chunked`, once, in one line: an empty member is
   * refused here, though §5.6.1 of RFC 9110 tolerates it, since another parser on the way may read it differently.
   */
  #readCodings(value: string, offset: number, minor: number): void {
    const refuse = (message: string): HttpError =>
      new HttpError("bad-transfer-encoding", message, { offset });
    if (minor === 0) throw refuse("HTTP/1.0 has no Transfer-Encoding");
    if (this.#chunked) throw refuse("Transfer-Encoding is repeated");
    const codings = value.split(",").map(trimOws);
    if (!codings.every(isToken)) throw refuse("Transfer-Encoding is a list of tokens");
    const chunked = codings.filter((coding) => coding.toLowerCase() === "chunked").length;
    if (chunked > 1) throw refuse("chunked is named twice");
    if (chunked === 1 && codings.at(-1)?.toLowerCase() !== "chunked") throw refuse("chunked must come last");
    if (codings.length > 1 || chunked === 0) {
      throw new HttpError("unknown-coding", "the only transfer coding is chunked", { status: 501, offset });
    }
    this.#chunked = true;
  }
}

/** ":" and a port in one to five digits: what needs no closer look. */
function isPort(buffer: Buffer, from: number, to: number): boolean {
  if (buffer[from] !== COLON || to - from < 2 || to - from > 6) return false;
  let port = 0;
  for (let at = from + 1; at < to; at++) {
    const byte = buffer[at]!;
    if (byte < 48 || byte > 57) return false;
    port = port * 10 + byte - 48;
  }
  return port <= 65_535;
}

/** True when the bytes at `at` are `word`, whatever their case. There are known to be no control characters among them. */
function is(buffer: Buffer, at: number, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    if ((buffer[at + index]! | 0x20) !== word.charCodeAt(index)) return false;
  }
  return true;
}

/**
 * Upgrade = #protocol, protocol = protocol-name [ "/" protocol-version ], both tokens (RFC 9110 §7.8). In lower case, since
 * they are to be compared without regard to it.
 */
function readProtocols(value: string, offset: number): string[] {
  const protocols = members(value.toLowerCase(), offset);
  if (!protocols.every(isProtocol)) {
    throw new HttpError("bad-field", "Upgrade is a list of name or name/version", { offset });
  }
  return protocols;
}

function members(value: string, offset: number): string[] {
  const list = parseList(value, MAX_EMPTY_LIST_MEMBERS);
  if (list === undefined) throw new HttpError("bad-field", "too many empty list members", { offset });
  return list;
}
