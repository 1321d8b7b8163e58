// Reads the head of a message: the start line and the field section, byte by byte by index, keeping offsets and
// making no strings. It knows where lines and fields stand; what they mean is for framing.ts and target.ts.
//
//   request-line = method SP request-target SP HTTP-version CRLF       (RFC 9112 §3)
//   status-line  = HTTP-version SP 3DIGIT SP [ reason-phrase ] CRLF    (RFC 9112 §4)
//   field-line   = field-name ":" OWS field-value OWS CRLF             (RFC 9112 §5)
import type { ByteQueue } from "@tcpkit/core";
import { HttpError } from "./errors.ts";
import type { HttpErrorCode } from "./errors.ts";
import { MAX_EMPTY_LINES, MAX_METHOD_BYTES, MAX_REASON_BYTES } from "./limits.ts";
import { COLON, CR, FIELD_BYTE, HTAB, LF, SP, TARGET_BYTE, TCHAR } from "./wire.ts";

/** Where the scanner stands inside a head: what it expects next. */
type Phase =
  | "blank"
  | "method"
  | "target"
  | "version"
  | "status"
  | "reason"
  | "line"
  | "name"
  | "value"
  | "end";

export interface HeadBounds {
  readonly maxTargetBytes: number;
  readonly maxHeadBytes: number;
  readonly maxFields: number;
}

/** "HTTP/1." as bytes. */
const PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e] as const;
const ZERO = 48;
const NINE = 57;

/**
 * Scans one head at a time. It remembers its place, so that a head arriving byte by byte costs linear time, and
 * finds a fault at the first byte that shows it, however TCP cuts the bytes. Nothing is consumed before the whole
 * section is in (RFC 9110 §5.3).
 *
 * All positions are counted from the head's first byte. They are valid after `scan` has returned a length and
 * until `reset`.
 */
export class HeadScanner {
  readonly #kind: "request" | "response" | "trailers";
  readonly #bounds: HeadBounds;
  #phase: Phase;
  #at = 0;
  #emptyLines = 0;
  #nameStart = 0;
  #nameEnd = 0;

  /** Request line: the method is `[0, methodEnd)`, the target `[methodEnd + 1, targetEnd)`. */
  methodEnd = 0;
  targetEnd = 0;
  /** HTTP/1.`minor` */
  minor = 0;
  /** Status line. */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;
  /** Four numbers a field line: name start and end, value start and end. */
  spans: number[] = [];

  constructor(kind: "request" | "response" | "trailers", bounds: HeadBounds) {
    this.#kind = kind;
    this.#bounds = bounds;
    this.#phase = firstPhase(kind);
  }

  /** Ready for the next head. */
  reset(): void {
    this.#phase = firstPhase(this.#kind);
    this.#at = 0;
    this.#emptyLines = 0;
    this.#nameStart = 0;
    this.spans = [];
  }

  /**
   * The length of the head at the front of the queue, in bytes, its empty line included; 0 while it has not all
   * arrived. Empty lines before a request line are dropped from the queue.
   * @throws HttpError at the first byte that is wrong, or when a bound is passed.
   */
  scan(queue: ByteQueue): number {
    if (this.#phase === "blank" && !this.#skipEmptyLines(queue)) return 0;
    const { buffer } = queue;
    const start = queue.position;
    const limit = start + this.#bounds.maxHeadBytes;
    const stop = Math.min(queue.end, limit);
    let at = start + this.#at;
    while (at < stop) {
      switch (this.#phase) {
        case "blank":
        case "method": {
          const most = Math.min(stop, start + MAX_METHOD_BYTES + 1);
          while (at < most && TCHAR[buffer[at]!] === 1) at++;
          if (at - start > MAX_METHOD_BYTES) {
            throw new HttpError("unknown-method", "method too long", {
              status: 501,
              offset: queue.base + start,
            });
          }
          if (at === stop) break;
          if (buffer[at] !== SP || at === start) {
            throw fault(queue, at, "bad-start-line", "a method is a token, then one SP");
          }
          this.methodEnd = at - start;
          this.#phase = "target";
          at++;
          break;
        }
        case "target": {
          const first = start + this.methodEnd + 1;
          const most = Math.min(stop, first + this.#bounds.maxTargetBytes + 1);
          while (at < most && TARGET_BYTE[buffer[at]!] === 1) at++;
          if (at - first > this.#bounds.maxTargetBytes) {
            const message = `target over ${this.#bounds.maxTargetBytes} bytes`;
            throw new HttpError("target-too-long", message, { status: 414, offset: queue.base + at - 1 });
          }
          if (at === stop) break;
          if (buffer[at] !== SP || at === first) {
            throw fault(
              queue,
              at,
              "bad-target",
              "a target is visible ASCII without '#', then one SP and the version",
            );
          }
          this.targetEnd = at - start;
          this.#phase = "version";
          at++;
          break;
        }
        case "version": {
          // A request line ends after the version, a status line goes on with SP.
          const first = this.#kind === "request" ? start + this.targetEnd + 1 : start;
          at = this.#scanVersion(queue, first, at, stop);
          if (at - first < 8 || at === stop) break;
          if (this.#kind === "request") {
            if (buffer[at] !== CR) throw fault(queue, at, "bad-start-line", "CRLF must follow the version");
            this.#phase = "line";
          } else {
            if (buffer[at] !== SP) throw fault(queue, at, "bad-start-line", "one SP must follow the version");
            this.#phase = "status";
            this.status = 0;
          }
          at++;
          break;
        }
        case "status": {
          // status-code = 3DIGIT, then SP even when no reason follows
          const digits = at - start - 9;
          const byte = buffer[at]!;
          if (digits < 3) {
            if (byte < ZERO || byte > NINE || (digits === 0 && byte === ZERO)) {
              throw fault(queue, at, "bad-start-line", "a status has three digits");
            }
            this.status = this.status * 10 + byte - ZERO;
          } else {
            if (byte !== SP) throw fault(queue, at, "bad-start-line", "one SP must follow the status");
            this.#phase = "reason";
            this.reasonStart = at + 1 - start;
          }
          at++;
          break;
        }
        case "reason": {
          const most = Math.min(stop, start + this.reasonStart + MAX_REASON_BYTES + 1);
          while (at < most && FIELD_BYTE[buffer[at]!] === 1) at++;
          this.reasonEnd = at - start;
          if (this.reasonEnd - this.reasonStart > MAX_REASON_BYTES) {
            throw new HttpError("head-too-large", `reason over ${MAX_REASON_BYTES} bytes`, {
              offset: queue.base + at - 1,
            });
          }
          if (at === stop) break;
          if (buffer[at] !== CR)
            throw fault(queue, at, "bad-start-line", "a reason holds no control character");
          this.#phase = "line";
          at++;
          break;
        }
        case "line": {
          // The LF of the CRLF that ends a line with something in it.
          if (buffer[at] !== LF) throw fault(queue, at - 1, "bare-cr", "CR without LF");
          at++;
          this.#nameStart = at - start;
          this.#phase = "name";
          break;
        }
        case "name": {
          const from = start + this.#nameStart;
          while (at < stop && TCHAR[buffer[at]!] === 1) at++;
          if (at > from && this.spans.length === 4 * this.#bounds.maxFields) {
            const message = `more than ${this.#bounds.maxFields} field lines`;
            throw new HttpError("too-many-fields", message, { status: 431, offset: queue.base + from });
          }
          if (at === stop) break;
          const byte = buffer[at]!;
          if (at === from) {
            if (byte === CR) {
              this.#phase = "end";
              at++;
              break;
            }
            if (byte === SP || byte === HTAB) {
              const message = "a line must not begin with white space: no folding (RFC 9112 §5.2)";
              throw fault(queue, at, "folded-field", message);
            }
          }
          if (byte !== COLON || at === from) {
            throw fault(queue, at, "bad-field", "a field name is a token directly followed by a colon");
          }
          this.#nameEnd = at - start;
          this.#phase = "value";
          at++;
          break;
        }
        case "value": {
          while (at < stop && FIELD_BYTE[buffer[at]!] === 1) at++;
          if (at === stop) break;
          if (buffer[at] !== CR)
            throw fault(queue, at, "bad-field", "a field value holds no control character");
          this.#endField(buffer, start, at);
          this.#phase = "line";
          at++;
          break;
        }
        case "end": {
          // The LF of the empty line: the head is complete.
          if (buffer[at] !== LF) throw fault(queue, at - 1, "bare-cr", "CR without LF");
          return at + 1 - start;
        }
      }
    }
    this.#at = at - start;
    if (stop === limit) {
      const message = `${this.#kind === "trailers" ? "trailer section" : "head"} over ${this.#bounds.maxHeadBytes} bytes`;
      throw new HttpError("head-too-large", message, { status: 431, offset: queue.base + limit });
    }
    return 0;
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
    this.#phase = "method";
    return true;
  }

  /**
   * HTTP-version = "HTTP/" DIGIT "." DIGIT, in upper case (RFC 9112 §2.3). Another major version is 505, but only
   * when the whole name is well formed. Returns the index after what was read.
   */
  #scanVersion(queue: ByteQueue, first: number, from: number, stop: number): number {
    const { buffer } = queue;
    let at = from;
    for (; at < stop && at - first < 8; at++) {
      const byte = buffer[at]!;
      const index = at - first;
      if (index === 5 || index === 7) {
        if (byte < ZERO || byte > NINE) throw fault(queue, at, "bad-version", "the version is HTTP/1.x");
      } else if (byte !== PREFIX[index]) {
        throw fault(queue, at, "bad-version", "the version is HTTP/1.x");
      }
    }
    if (at - first === 8 && buffer[first + 5] !== PREFIX[5]) {
      const options = { status: 505, offset: queue.base + first } as const;
      throw new HttpError("unsupported-version", "only HTTP/1.x is spoken here", options);
    }
    if (at - first === 8) this.minor = buffer[first + 7]! - ZERO;
    return at;
  }

  /** Notes a field line whose value ends before `end`, without the SP and HTAB around it (never 0xA0, 0x85 or VT). */
  #endField(buffer: Buffer, start: number, end: number): void {
    let from = start + this.#nameEnd + 1;
    let to = end;
    while (from < to && (buffer[from] === SP || buffer[from] === HTAB)) from++;
    while (to > from && (buffer[to - 1] === SP || buffer[to - 1] === HTAB)) to--;
    this.spans.push(this.#nameStart, this.#nameEnd, from - start, to - start);
  }
}

function firstPhase(kind: "request" | "response" | "trailers"): Phase {
  if (kind === "request") return "blank";
  return kind === "response" ? "version" : "name";
}

/** An error at a byte; a CR or LF out of its place is named as such, whatever was expected there. */
function fault(queue: ByteQueue, at: number, code: HttpErrorCode, message: string): HttpError {
  const byte = queue.buffer[at];
  const offset = queue.base + at;
  if (byte === LF) return new HttpError("bare-lf", "LF without CR", { offset });
  return new HttpError(code, message, { offset });
}
