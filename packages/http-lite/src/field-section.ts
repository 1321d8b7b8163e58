// Reads a field section, byte by byte by index, keeping offsets and making no strings: that of a head, or trailers.
// It knows where lines stand; what they mean is for framing.ts.
//
//   field-line = field-name ":" OWS field-value OWS CRLF    (RFC 9112 §5), then an empty line
import type { ByteQueue } from "@tcpkit/core";
import { HttpError } from "./errors.ts";
import { skipFieldBytes } from "./field-bytes.ts";
import { fault } from "./fault.ts";
import { COLON, CR, HTAB, LF, SP, TCHAR } from "./wire.ts";

/** What is expected next. */
type Phase = "name" | "value" | "line-feed" | "last-line-feed";

/** Scans one section at a time, and remembers its place in it. Positions are counted from the front of the queue. */
export class FieldSection {
  readonly #maxFields: number;
  #phase: Phase = "name";
  /** Bytes looked at, or known to be no concern of ours. */
  #at = 0;
  #nameStart = 0;
  #nameEnd = 0;

  /** What `spans` will be, as far as it is known, in the first `#count` places: a list that is made once and grows no more. */
  readonly #found: number[] = [];
  #count = 0;

  /** Four numbers a field line: name start and end, value start and end. They are there once the section is. */
  spans: readonly number[] = [];

  constructor(maxFields: number) {
    this.#maxFields = maxFields;
  }

  /** Ready for the next section. */
  reset(): void {
    this.#phase = "name";
    this.#count = 0;
  }

  /** The section begins behind so many bytes: behind a head's first line. Unless told, at the front of the queue. */
  begin(before: number): void {
    this.#at = before;
    this.#nameStart = before;
  }

  /**
   * Where the section ends, its empty line included; 0 while it has not all arrived, or goes beyond `maxBytes`.
   * @throws HttpError at the first byte that is wrong, or when there are too many lines.
   */
  scan(queue: ByteQueue, maxBytes: number): number {
    const start = queue.position;
    const stop = Math.min(queue.end, start + maxBytes);
    const { buffer } = queue;
    let at = start + this.#at;
    if (this.#phase === "name" && at - start === this.#nameStart) at = this.#scanLines(buffer, start, stop);
    while (at < stop) {
      switch (this.#phase) {
        case "name":
          at = this.#scanName(queue, start, at, stop);
          break;
        case "value":
          at = skipFieldBytes(buffer, at, stop);
          if (at === stop) break;
          if (buffer[at] !== CR)
            throw fault(queue, at, "bad-field", "a field value holds no control character");
          this.#endField(buffer, start, at);
          this.#phase = "line-feed";
          at++;
          break;
        case "line-feed":
          if (buffer[at] !== LF) throw fault(queue, at - 1, "bare-cr", "CR without LF");
          at++;
          this.#nameStart = at - start;
          this.#phase = "name";
          break;
        case "last-line-feed":
          if (buffer[at] !== LF) throw fault(queue, at - 1, "bare-cr", "CR without LF");
          this.spans = this.#found.slice(0, this.#count);
          return at + 1 - start;
      }
    }
    this.#at = at - start;
    return 0;
  }

  /**
   * The quick way through whole lines, as most are: up to the first that has not all arrived, or with which anything is
   * wrong; that one is left to the loop in `scan`. Gives the index after what was read.
   */
  #scanLines(buffer: Buffer, start: number, stop: number): number {
    const found = this.#found;
    const most = 4 * this.#maxFields;
    let count = this.#count;
    let line = start + this.#nameStart;
    while (count < most) {
      let at = line;
      while (at < stop && TCHAR[buffer[at]!] === 1) at++;
      const nameEnd = at;
      if (at === line || at === stop || buffer[at] !== COLON) break;
      at++;
      while (at < stop && (buffer[at] === SP || buffer[at] === HTAB)) at++;
      const from = at;
      at = skipFieldBytes(buffer, at, stop);
      if (at + 1 >= stop || buffer[at] !== CR || buffer[at + 1] !== LF) break;
      let to = at;
      while (to > from && (buffer[to - 1] === SP || buffer[to - 1] === HTAB)) to--;
      found[count] = line - start;
      found[count + 1] = nameEnd - start;
      found[count + 2] = from - start;
      found[count + 3] = to - start;
      count += 4;
      line = at + 2;
    }
    this.#count = count;
    this.#nameStart = line - start;
    return line;
  }

  /** A field's name and its colon, or the CR of the empty line. */
  #scanName(queue: ByteQueue, start: number, from: number, stop: number): number {
    const { buffer } = queue;
    const first = start + this.#nameStart;
    let at = from;
    while (at < stop && TCHAR[buffer[at]!] === 1) at++;
    if (at > first && this.#count === 4 * this.#maxFields) {
      const options = { status: 431, offset: queue.base + first };
      throw new HttpError("too-many-fields", `more than ${this.#maxFields} field lines`, options);
    }
    if (at === stop) return at;
    const byte = buffer[at]!;
    if (at === first) {
      if (byte === CR) {
        this.#phase = "last-line-feed";
        return at + 1;
      }
      if (byte === SP || byte === HTAB) {
        const message = "a line must not begin with white space: no folding (RFC 9112 §5.2)";
        throw fault(queue, at, "folded-field", message);
      }
    }
    if (byte !== COLON || at === first) {
      throw fault(queue, at, "bad-field", "a field name is a token directly followed by a colon");
    }
    this.#nameEnd = at - start;
    this.#phase = "value";
    return at + 1;
  }

  /** Notes a field line whose value ends before `end`, without the SP and HTAB around it (never 0xA0, 0x85 or VT). */
  #endField(buffer: Buffer, start: number, end: number): void {
    let from = start + this.#nameEnd + 1;
    let to = end;
    while (from < to && (buffer[from] === SP || buffer[from] === HTAB)) from++;
    while (to > from && (buffer[to - 1] === SP || buffer[to - 1] === HTAB)) to--;
    const found = this.#found;
    const count = this.#count;
    found[count] = this.#nameStart;
    found[count + 1] = this.#nameEnd;
    found[count + 2] = from - start;
    found[count + 3] = to - start;
    this.#count = count + 4;
  }
}
