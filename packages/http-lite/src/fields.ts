// A field section as it was received: ordered lines, kept as offsets into the head's bytes and made into strings
// only when somebody asks. It does not know what any field means.

import type { HeadersInit } from "./messages.ts";

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * The fields of a message, in order, every line apart. Names are matched without regard to case. A name such as
 * `__proto__` is one like any other: nothing is kept in a plain object.
 *
 * Strings are latin1: one character for each byte (RFC 9110 §5.5).
 */
export class HeaderMap implements Iterable<readonly [name: string, value: string]> {
  #bytes: Buffer;
  readonly #from: number;
  readonly #to: number;
  readonly #spans: readonly number[];
  #text: string | undefined;

  /**
   * `spans` holds four numbers for each line: where its name starts and ends, where its value starts and ends,
   * counted from `from`, which is where the section's text starts in `bytes`. It ends before `to`.
   */
  constructor(bytes: Buffer = EMPTY, from = 0, to = 0, spans: readonly number[] = []) {
    this.#bytes = bytes;
    this.#from = from;
    this.#to = to;
    this.#spans = spans;
  }

  /** Fields out of pairs, for tests and for trailers made by hand. Nothing is checked until they are sent. */
  static from(pairs: Iterable<readonly [string, string]>): HeaderMap {
    let text = "";
    const spans: number[] = [];
    for (const [name, value] of pairs) {
      const start = text.length;
      spans.push(start, start + name.length, start + name.length, start + name.length + value.length);
      text += name + value;
    }
    const fields = new HeaderMap(EMPTY, 0, 0, spans);
    fields.#text = text;
    return fields;
  }

  /** Field lines. */
  get size(): number {
    return this.#spans.length >> 2;
  }

  /**
   * The value of a field: its lines joined with `", "`, in order (RFC 9110 §5.3), `Cookie` with `"; "`
   * (RFC 6265 §5.4). `Set-Cookie` must not be joined: this gives its first line, `getAll` gives them all.
   */
  get(name: string): string | undefined {
    const first = this.#find(name, 0);
    if (first < 0) return undefined;
    const value = this.#value(first);
    let next = this.#find(name, first + 4);
    if (next < 0) return value;
    const key = name.toLowerCase();
    if (key === "set-cookie") return value;
    const separator = key === "cookie" ? "; " : ", ";
    let joined = value;
    for (; next >= 0; next = this.#find(name, next + 4)) joined += separator + this.#value(next);
    return joined;
  }

  /** The value of each line of a field, in order. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at + 4)) values.push(this.#value(at));
    return values;
  }

  has(name: string): boolean {
    return this.#find(name, 0) >= 0;
  }

  /** Each line as a pair, the name in lower case. */
  *entries(): Generator<[name: string, value: string], void, undefined> {
    for (const [name, value] of this.lines()) yield [name.toLowerCase(), value];
  }

  /** Each line as a pair, the name as it was received. */
  *lines(): Generator<[name: string, value: string], void, undefined> {
    for (let at = 0; at < this.#spans.length; at += 4) yield [this.#name(at), this.#value(at)];
  }

  [Symbol.iterator](): Generator<[name: string, value: string], void, undefined> {
    return this.entries();
  }

  /** Where each line's name and value stand, for the event log; four numbers a line, counted from the section's start. */
  get spans(): readonly number[] {
    return this.#spans;
  }

  /** Makes the text now and lets go of the bytes, so that their buffer may be used again. */
  detach(): void {
    this.#decoded();
  }

  #decoded(): string {
    if (this.#text === undefined) {
      this.#text = this.#bytes.toString("latin1", this.#from, this.#to);
      this.#bytes = EMPTY;
    }
    return this.#text;
  }

  #find(name: string, from: number): number {
    const spans = this.#spans;
    const { length } = name;
    let key: string | undefined;
    for (let at = from; at < spans.length; at += 4) {
      if (spans[at + 1]! - spans[at]! !== length) continue;
      key ??= name.toLowerCase();
      if (this.#name(at).toLowerCase() === key) return at;
    }
    return -1;
  }

  #name(at: number): string {
    return this.#decoded().slice(this.#spans[at], this.#spans[at + 1]);
  }

  #value(at: number): string {
    return this.#decoded().slice(this.#spans[at + 2], this.#spans[at + 3]);
  }
}

/** No fields: shared by every message without trailers. */
export const NO_FIELDS: HeaderMap = new HeaderMap();

/** Fields to send, as pairs: one for each line. */
export function* pairsOf(
  headers: HeadersInit,
): Generator<readonly [name: string, value: string], void, undefined> {
  if (Symbol.iterator in headers) {
    yield* headers;
    return;
  }
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === undefined) continue;
    if (typeof value === "object") for (const line of value) yield [name, line];
    else yield [name, String(value)];
  }
}
