// Reads the first line of a message, byte by byte by index, keeping offsets and making no strings. It knows no fields.
//
//   request-line = method SP request-target SP HTTP-version CRLF       (RFC 9112 §3)
//   status-line  = HTTP-version SP 3DIGIT SP [ reason-phrase ] CRLF    (RFC 9112 §4)
import type { ByteQueue } from "@tcpkit/core";
import { HttpError } from "./errors.ts";
import { fault } from "./fault.ts";
import { MAX_METHOD_BYTES, MAX_REASON_BYTES } from "./limits.ts";
import { CR, FIELD_BYTE, LF, SP, TARGET_BYTE, TCHAR } from "./wire.ts";

/** What is expected next. */
type Phase = "method" | "target" | "version" | "status" | "reason" | "line-feed";

/** "HTTP/1." as bytes. */
const PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e] as const;
const ZERO = 48;
const NINE = 57;

/** Scans one line at a time, and remembers its place in it. Positions are counted from its first byte. */
export class StartLine {
  readonly #first: Phase;
  readonly #maxTargetBytes: number;
  #phase: Phase;
  /** Bytes looked at. */
  #at = 0;

  /** Request line: the method is `[0, methodEnd)`, the target `[methodEnd + 1, targetEnd)`. */
  methodEnd = 0;
  targetEnd = 0;
  /** HTTP/1.`minor` */
  minor = 0;
  /** Status line. */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;

  constructor(kind: "request" | "response", maxTargetBytes: number) {
    this.#first = kind === "request" ? "method" : "version";
    this.#phase = this.#first;
    this.#maxTargetBytes = maxTargetBytes;
  }

  /** Ready for the next line. */
  reset(): void {
    this.#phase = this.#first;
    this.#at = 0;
  }

  /**
   * The length of the line at the front of the queue, in bytes, its CRLF included; 0 while it has not all arrived, or is
   * longer than `maxBytes`.
   * @throws HttpError at the first byte that is wrong.
   */
  scan(queue: ByteQueue, maxBytes: number): number {
    const start = queue.position;
    const stop = Math.min(queue.end, start + maxBytes);
    let at = start + this.#at;
    while (at < stop) {
      switch (this.#phase) {
        case "method":
          at = this.#scanMethod(queue, start, at, stop);
          break;
        case "target":
          at = this.#scanTarget(queue, start, at, stop);
          break;
        case "version":
          at = this.#scanVersion(queue, start, at, stop);
          break;
        case "status":
          at = this.#scanStatus(queue, start, at);
          break;
        case "reason":
          at = this.#scanReason(queue, start, at, stop);
          break;
        case "line-feed":
          if (queue.buffer[at] !== LF) throw fault(queue, at - 1, "bare-cr", "CR without LF");
          return at + 1 - start;
      }
    }
    this.#at = at - start;
    return 0;
  }

  // Each of these goes on at `from`, and gives the index after what it has read.

  #scanMethod(queue: ByteQueue, start: number, from: number, stop: number): number {
    const { buffer } = queue;
    const most = Math.min(stop, start + MAX_METHOD_BYTES + 1);
    let at = from;
    while (at < most && TCHAR[buffer[at]!] === 1) at++;
    if (at - start > MAX_METHOD_BYTES) {
      const options = { status: 501, offset: queue.base + start };
      throw new HttpError("unknown-method", "method too long", options);
    }
    if (at === stop) return at;
    if (buffer[at] !== SP || at === start) {
      throw fault(queue, at, "bad-start-line", "a method is a token, then one SP");
    }
    this.methodEnd = at - start;
    this.#phase = "target";
    return at + 1;
  }

  #scanTarget(queue: ByteQueue, start: number, from: number, stop: number): number {
    const { buffer } = queue;
    const first = start + this.methodEnd + 1;
    const most = Math.min(stop, first + this.#maxTargetBytes + 1);
    let at = from;
    while (at < most && TARGET_BYTE[buffer[at]!] === 1) at++;
    if (at - first > this.#maxTargetBytes) {
      const options = { status: 414, offset: queue.base + at - 1 };
      throw new HttpError("target-too-long", `target over ${this.#maxTargetBytes} bytes`, options);
    }
    if (at === stop) return at;
    if (buffer[at] !== SP || at === first) {
      const message = "a target is visible ASCII without '#', then one SP and the version";
      throw fault(queue, at, "bad-target", message);
    }
    this.targetEnd = at - start;
    this.#phase = "version";
    return at + 1;
  }

  /**
   * HTTP-version = "HTTP/" DIGIT "." DIGIT, in upper case (RFC 9112 §2.3), and the byte behind it. Another major version is
   * 505, but only when the whole name is well formed.
   */
  #scanVersion(queue: ByteQueue, start: number, from: number, stop: number): number {
    const { buffer } = queue;
    // A request line ends after the version, a status line goes on with SP.
    const request = this.#first === "method";
    const first = request ? start + this.targetEnd + 1 : start;
    let at = from;
    for (; at < stop && at - first < 8; at++) {
      const byte = buffer[at]!;
      const index = at - first;
      const right = index === 5 || index === 7 ? byte >= ZERO && byte <= NINE : byte === PREFIX[index];
      if (!right) throw fault(queue, at, "bad-version", "the version is HTTP/1.x");
    }
    if (at - first < 8) return at;
    if (buffer[first + 5] !== PREFIX[5]) {
      const options = { status: 505, offset: queue.base + first };
      throw new HttpError("unsupported-version", "only HTTP/1.x is spoken here", options);
    }
    this.minor = buffer[first + 7]! - ZERO;
    if (at === stop) return at;
    if (buffer[at] !== (request ? CR : SP)) {
      const behind = request ? "CRLF" : "one SP";
      throw fault(queue, at, "bad-start-line", `${behind} must follow the version`);
    }
    this.#phase = request ? "line-feed" : "status";
    this.status = 0;
    return at + 1;
  }

  /** One byte: status-code = 3DIGIT, then SP even when no reason follows. */
  #scanStatus(queue: ByteQueue, start: number, at: number): number {
    const byte = queue.buffer[at]!;
    const digits = at - start - 9;
    if (digits === 3) {
      if (byte !== SP) throw fault(queue, at, "bad-start-line", "one SP must follow the status");
      this.#phase = "reason";
      this.reasonStart = at + 1 - start;
    } else {
      if (byte < ZERO || byte > NINE || (digits === 0 && byte === ZERO)) {
        throw fault(queue, at, "bad-start-line", "a status has three digits");
      }
      this.status = this.status * 10 + byte - ZERO;
    }
    return at + 1;
  }

  #scanReason(queue: ByteQueue, start: number, from: number, stop: number): number {
    const { buffer } = queue;
    const most = Math.min(stop, start + this.reasonStart + MAX_REASON_BYTES + 1);
    let at = from;
    while (at < most && FIELD_BYTE[buffer[at]!] === 1) at++;
    this.reasonEnd = at - start;
    if (this.reasonEnd - this.reasonStart > MAX_REASON_BYTES) {
      const options = { offset: queue.base + at - 1 };
      throw new HttpError("head-too-large", `reason over ${MAX_REASON_BYTES} bytes`, options);
    }
    if (at === stop) return at;
    if (buffer[at] !== CR) throw fault(queue, at, "bad-start-line", "a reason holds no control character");
    this.#phase = "line-feed";
    return at + 1;
  }
}
