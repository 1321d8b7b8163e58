// Reads the head of a message: its first line and its field section. What they mean is for framing.ts and target.ts.
import type { ByteQueue } from "@tcpkit/core";
import { HttpError } from "./errors.ts";
import { fault } from "./fault.ts";
import { FieldSection } from "./field-section.ts";
import { MAX_EMPTY_LINES } from "./limits.ts";
import type { HttpLimits } from "./limits.ts";
import { StartLine } from "./start-line.ts";
import { CR, LF } from "./wire.ts";

/**
 * Scans one head at a time. It remembers its place, so that a head arriving byte by byte costs linear time, and
 * finds a fault at the first byte that shows it, however TCP cuts the bytes. Nothing is consumed before the whole
 * section is in (RFC 9110 §5.3).
 *
 * All positions are counted from the head's first byte. They are valid after `scan` has returned a length and
 * until `reset`.
 */
export class HeadScanner {
  readonly line: StartLine;
  readonly fields: FieldSection;
  readonly #maxBytes: number;
  /** What is being read. Empty lines are skipped before a request's head alone. */
  #part: "empty-lines" | "line" | "fields";
  readonly #firstPart: "empty-lines" | "line";
  #emptyLines = 0;

  constructor(kind: "request" | "response", limits: HttpLimits) {
    this.line = new StartLine(kind, limits.maxTargetBytes);
    this.fields = new FieldSection(limits.maxFields);
    this.#maxBytes = limits.maxHeadBytes;
    this.#firstPart = kind === "request" ? "empty-lines" : "line";
    this.#part = this.#firstPart;
  }

  /** Ready for the next head. */
  reset(): void {
    this.#part = this.#firstPart;
    this.#emptyLines = 0;
    this.line.reset();
    this.fields.reset();
  }

  /**
   * The length of the head at the front of the queue, in bytes, its empty line included; 0 while it has not all
   * arrived. Empty lines before a request line are dropped from the queue.
   * @throws HttpError at the first byte that is wrong, or when a bound is passed.
   */
  scan(queue: ByteQueue): number {
    if (this.#part === "empty-lines" && !this.#skipEmptyLines(queue)) return 0;
    if (this.#part === "line") {
      const length = this.line.scan(queue, this.#maxBytes);
      if (length > 0) {
        this.fields.begin(length);
        this.#part = "fields";
      }
    }
    const length = this.#part === "fields" ? this.fields.scan(queue, this.#maxBytes) : 0;
    if (length === 0 && queue.length >= this.#maxBytes) {
      const options = { status: 431, offset: queue.offset + this.#maxBytes };
      throw new HttpError("head-too-large", `head over ${this.#maxBytes} bytes`, options);
    }
    return length;
  }

  /** RFC 9112 §2.2: an empty line or two before a request line, no more. False while the next byte has not arrived. */
  #skipEmptyLines(queue: ByteQueue): boolean {
    while (queue.length > 0 && queue.buffer[queue.position] === CR) {
      if (queue.length < 2) return false;
      if (queue.buffer[queue.position + 1] !== LF)
        throw fault(queue, queue.position, "bare-cr", "CR without LF");
      if (++this.#emptyLines > MAX_EMPTY_LINES) {
        throw fault(queue, queue.position, "bad-start-line", "too many empty lines before a request line");
      }
      queue.skip(2);
    }
    if (queue.length === 0) return false;
    this.#part = "line";
    return true;
  }
}
