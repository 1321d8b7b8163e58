// The end of a message: dot-stuffing taken off and put on, RFC 5321 section 4.5.2. It knows CRLF and dots only.
//
//   received   "one\r\n..two\r\n.\r\n"  =  content "one\r\n.two\r\n"
//
// Only CRLF.CRLF ends a message, wherever TCP cuts it. Servers that also take LF.LF, CR.CR or a mixture let one
// message hide a second one ("SMTP smuggling"), so a CR or LF that is not part of CRLF spoils the message here:
// it is read to its real end, and refused.
import { asBuffer, type ByteQueue, lend, narrow, recycle, takeReadBuffer } from "@tcpkit/core";

const CR = 13;
const LF = 10;
const DOT = 46;
const END = "\r\n.\r\n";

/** How the content was spoiled, and where: the absolute offset of a bare CR or LF, or of the first byte too many. */
export interface ContentProblem {
  readonly type: "bare-line-ending" | "line-too-long";
  readonly offset: number;
}

/** Takes one message's content out of a queue, piece by piece, up to and with its end. */
export class DotDecoder {
  readonly #queue: ByteQueue;
  /** Longest line, in bytes without its CRLF. */
  readonly #maxLine: number;
  /** The next unread byte begins a line. */
  #lineStart = true;
  /** Bytes of the line under way that were handed out before. */
  #carried = 0;
  #dropping = false;
  readonly #normalize: boolean;
  /** The piece under way has a bare LF, which `normalize` makes CRLF. */
  #bareLf = false;
  /** The end has been read: what is unread now belongs to the next command. */
  ended = false;
  /** Set once a bare CR or LF, or a line over the limit, was met; the rest is dropped as it comes. */
  problem: ContentProblem | undefined;

  /**
   * `maxLine` is the longest line in bytes, its CRLF included and its extra dot not. Default: `Infinity`. With `normalize` a
   * bare LF becomes CRLF; it ends no message and is no reason to take a dot off, so that what two servers make of the
   * message cannot differ. Default: false, it is a problem.
   */
  constructor(queue: ByteQueue, maxLine: number = Infinity, normalize: boolean = false) {
    this.#queue = queue;
    this.#normalize = normalize;
    this.#maxLine = maxLine - 2;
  }

  /** The content is not wanted any more: read to its end and hand nothing out. */
  drop(): void {
    this.#dropping = true;
  }

  /**
   * The next piece of content, or `undefined`: then the message has `ended`, has just met a `problem` (call again,
   * to drop the rest), or more bytes are needed. At most a dot and a CR, whose meaning hangs on the next byte, stay
   * unread. A piece without stuffing is not copied.
   */
  take(): Buffer | undefined {
    if (this.ended) return undefined;
    if (this.#dropping) {
      this.#skip();
      return undefined;
    }
    const queue = this.#queue;
    const { buffer, position, end } = queue;
    // A string of one byte a character is searched several times faster than a Buffer.
    const text = buffer.toString("latin1", position, end);
    const dots: number[] = [];
    const length = this.#scan(text, dots);
    queue.skip(length);
    if (this.ended) queue.skip(3);
    if (length === dots.length) return undefined;
    // A whole chunk as it came: its memory can be read into again, that of a part cannot, unless all else of it was the end.
    const piece = length === buffer.length ? buffer : buffer.subarray(position, position + length);
    if (position === 0 && queue.length === 0) narrow(buffer, piece);
    const content = unstuff(piece, dots);
    if (!this.#bareLf) return content;
    this.#bareLf = false;
    // A CR is never handed out without the byte behind it, so no LF at the beginning belongs to one.
    return Buffer.from(content.toString("latin1").replaceAll(/(?<!\r)\n/g, "\r\n"), "latin1");
  }

  /** How many bytes are content, or dots in front of it, beyond doubt; the indices of the dots go into `dots`. */
  #scan(text: string, dots: number[]): number {
    let at = 0;
    while (at < text.length) {
      let from = at;
      if (this.#lineStart && text.charCodeAt(at) === DOT) {
        const next = text.charCodeAt(at + 1);
        if (Number.isNaN(next)) return at;
        if (next === CR) {
          const afterNext = text.charCodeAt(at + 2);
          if (afterNext === LF) this.ended = true;
          else if (!Number.isNaN(afterNext)) this.#spoil("bare-line-ending", at + 1);
          return at;
        }
        if (next === LF && !this.#normalize) {
          this.#spoil("bare-line-ending", at + 1);
          return at;
        }
        dots.push(at);
        from = at + 1;
      }
      const lf = text.indexOf("\n", at);
      const cr = text.indexOf("\r", at);
      const bareLf = lf >= 0 && (cr < 0 || lf < cr);
      const stop = bareLf ? lf : cr < 0 ? text.length : cr;
      // Where the limit falls does not depend on what of the line came earlier, nor on what follows.
      const limit = from - this.#carried + this.#maxLine;
      if (stop > limit) {
        this.#spoil("line-too-long", limit);
        // What is left of the line is no line of its own: a dot there ends nothing.
        this.#lineStart = false;
        return limit;
      }
      if (!bareLf && lf === cr + 1 && cr >= 0) {
        this.#lineStart = true;
        this.#carried = 0;
        at = lf + 1;
        continue;
      }
      this.#lineStart = false;
      if (bareLf && this.#normalize) {
        this.#bareLf = true;
        this.#carried = 0;
        at = lf + 1;
        continue;
      }
      this.#carried += stop - from;
      // A CR that is the last byte may be half of a CRLF.
      if (stop === text.length || (!bareLf && cr === text.length - 1)) return stop;
      this.#spoil("bare-line-ending", stop);
      return stop;
    }
    return at;
  }

  #spoil(type: ContentProblem["type"], index: number): void {
    this.problem = { type, offset: this.#queue.offset + index };
    this.#dropping = true;
  }

  /** Drops everything up to CRLF.CRLF. */
  #skip(): void {
    const queue = this.#queue;
    const text = queue.buffer.toString("latin1", queue.position, queue.end);
    if (this.#lineStart) {
      // The CRLF in front has been read already.
      const rest = END.slice(2);
      if (text.length < rest.length && rest.startsWith(text)) return;
      this.#lineStart = false;
      if (text.startsWith(rest)) {
        queue.skip(rest.length);
        this.ended = true;
        return;
      }
    }
    const found = text.indexOf(END);
    this.ended = found >= 0;
    queue.skip(this.ended ? found + END.length : Math.max(0, text.length - (END.length - 1)));
  }
}

/** `bytes` without the bytes at the indices `dots`. Nothing to take off, nothing copied. */
function unstuff(bytes: Buffer, dots: readonly number[]): Buffer {
  if (dots.length === 0) return bytes;
  // Whoever gave us the bytes may still look at them, so they move in a copy: one large, then small ones inside it.
  const content = takeReadBuffer(bytes.length);
  content.set(bytes);
  recycle(bytes);
  let from = 0;
  let to = 0;
  for (const dot of dots) {
    content.copyWithin(to, from, dot);
    to += dot - from;
    from = dot + 1;
  }
  content.copyWithin(to, from, bytes.length);
  return lend(content, bytes.length - dots.length);
}

/** Puts dots on: the inverse of `DotDecoder`. Content goes in by pieces of any size. */
export class DotEncoder {
  #lineStart = true;
  #afterCr = false;

  /**
   * The bytes to send for a piece of content.
   * @returns `undefined` when the content has a bare CR or LF: it must not be sent (RFC 5321 section 2.3.8).
   */
  encode(bytes: Uint8Array): Buffer | undefined {
    const text = asBuffer(bytes).toString("latin1");
    let from = 0;
    let encoded = "";
    for (let at = 0; at < text.length;) {
      if (this.#afterCr) {
        if (text.charCodeAt(at) !== LF) return undefined;
        this.#afterCr = false;
        this.#lineStart = true;
        at++;
        continue;
      }
      if (this.#lineStart && text.charCodeAt(at) === DOT) {
        encoded += `${text.slice(from, at)}.`;
        from = at;
      }
      this.#lineStart = false;
      const cr = text.indexOf("\r", at);
      const lf = text.indexOf("\n", at);
      if (lf >= 0 && (cr < 0 || lf < cr)) return undefined;
      if (cr < 0) break;
      this.#afterCr = true;
      at = cr + 1;
    }
    return from === 0 && encoded === "" ? asBuffer(bytes) : Buffer.from(encoded + text.slice(from), "latin1");
  }

  /** What ends the message: a last line without CRLF gets one. `undefined` after a CR without its LF. */
  end(): string | undefined {
    if (this.#afterCr) return undefined;
    return this.#lineStart ? ".\r\n" : END;
  }
}
