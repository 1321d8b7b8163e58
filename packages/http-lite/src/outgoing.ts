// Makes the bytes of messages we send: heads with checked fields, and bodies framed as their head promised.
// It knows one message at a time; which message may be sent when is the session's business.
import type { Output } from "@tcpkit/core";
import { localError } from "./errors.ts";
import { lengthField, opening } from "./repeated.ts";
import { pairsOf } from "./fields.ts";
import type { BodyInit, HeadersInit } from "./messages.ts";
import { GivenFields } from "./given.ts";
import { isForbiddenTrailer } from "./trailers.ts";
import { formatFieldLine, formatStatusLine } from "./wire.ts";

/** A body up to this many bytes leaves in one string with its head. */
const JOIN_LIMIT = 16 * 1024;

/** How an open body goes out. */
type OutFraming = "chunked" | "close" | "none";

/** How the head of a reply is to be completed. */
export interface Circumstances {
  /** HTTP/1.1 on the other side: chunks are understood, the connection persists by default. */
  readonly modern: boolean;
  /** The reply answers HEAD: framing fields as for GET, and no content. */
  readonly toHead: boolean;
  /** We will close after this message. */
  readonly closing: boolean;
  /** The whole `Date` field line; empty for none. */
  readonly date: string;
}

/** The outgoing side of one connection. */
export class Outgoing {
  readonly #given = new GivenFields();
  #framing: OutFraming = "none";
  /** Bytes still promised by Content-Length; -1 when none was declared. */
  #left = -1;
  #contentless = false;
  /** The head said that the connection closes after this message. */
  closes = false;

  /**
   * A final reply: its head, and its body when that is complete.
   * @throws HttpError `bad-reply`, before a byte is made.
   */
  response(
    status: number,
    reason: string | undefined,
    headers: HeadersInit | undefined,
    body: BodyInit,
    open: boolean,
    on: Circumstances,
  ): Output {
    if (status < 200) throw localError("bad-reply", `${status} is not a final status`);
    const given = this.#given;
    given.read(headers);
    let head = opening(status, reason, given.date ? "" : on.date);
    this.#contentless = on.toHead || status === 204 || status === 205 || status === 304;
    this.#left = -1;
    this.#framing = "none";
    this.closes = on.closing || given.close;
    let content: string | Uint8Array = "";
    if (open) {
      head += this.#openFraming(status, on.modern);
    } else {
      const length = lengthOf(body);
      head += this.#completeFraming(status, length, typeof body === "string");
      if (length > 0 && !this.#contentless) content = contentOf(body, length);
    }
    head += given.text;
    // Whoever names protocols in Upgrade says so in Connection (RFC 9110 §7.8).
    if (given.protocols.length > 0) head += "Connection: Upgrade\r\n";
    else if (given.upgrades) throw localError("bad-reply", "Connection: upgrade without Upgrade");
    if (this.closes) head += "Connection: close\r\n\r\n";
    else head += on.modern ? "\r\n" : "Connection: keep-alive\r\n\r\n";
    return join(head, content);
  }

  /** The framing field of a reply whose body follows. */
  #openFraming(status: number, modern: boolean): string {
    const { length } = this.#given;
    if (!hasLengthField(status)) return status === 304 && length >= 0 ? lengthField(length) : "";
    // "Reset Content" has none: a length of zero says so (RFC 9110 §15.3.6).
    if (status === 205) return lengthField(0);
    if (length >= 0) {
      if (!this.#contentless) this.#left = length;
      return lengthField(length);
    }
    if (modern) {
      this.#framing = "chunked";
      return "Transfer-Encoding: chunked\r\n";
    }
    this.#framing = "close";
    if (!this.#contentless) this.closes = true;
    return "";
  }

  /** The framing field of a reply whose body is at hand, and a default for its type. @throws HttpError `length-mismatch`. */
  #completeFraming(status: number, length: number, isText: boolean): string {
    const given = this.#given;
    // Without a body, HEAD and 304 may still tell the length that GET or 200 would have.
    if (given.length >= 0 && given.length !== length && !(this.#contentless && length === 0)) {
      throw localError("length-mismatch", `Content-Length is ${given.length}, the body has ${length} bytes`);
    }
    if (!hasLengthField(status)) return status === 304 && given.length >= 0 ? lengthField(given.length) : "";
    if (status === 205) return lengthField(0);
    const field = lengthField(given.length >= 0 ? given.length : length);
    return isText && length > 0 && !given.type
      ? `${field}Content-Type: text/plain; charset=utf-8\r\n`
      : field;
  }

  /** An interim reply (RFC 9110 §15.2): no framing fields, no body. @throws HttpError `bad-reply`. */
  informational(status: number, headers: HeadersInit | undefined): string {
    if (status < 100 || status > 199 || status === 101) {
      throw localError("bad-reply", `${status} is not an interim status`);
    }
    this.#given.read(headers);
    if (this.#given.length >= 0) throw localError("bad-reply", "an interim reply has no Content-Length");
    return `${formatStatusLine(status)}${this.#given.text}\r\n`;
  }

  /**
   * The 101 behind which another protocol begins: one that was offered (RFC 9110 §7.8).
   * @throws HttpError `bad-reply`.
   */
  upgrade(status: number, headers: HeadersInit | undefined, offered: readonly string[]): string {
    if (status !== 101) throw localError("bad-reply", `an upgrade is answered by 101, not ${status}`);
    const given = this.#given;
    given.read(headers);
    if (given.protocols.length === 0) throw localError("bad-reply", "101 names the protocol in Upgrade");
    for (const protocol of given.protocols) {
      if (!offered.includes(protocol.toLowerCase()))
        throw localError("bad-reply", `${protocol} was not offered by the client`);
    }
    return `${formatStatusLine(101)}Connection: Upgrade\r\n${this.#unframed()}\r\n`;
  }

  /** The 2xx to CONNECT behind which the tunnel begins (RFC 9110 §9.3.6). @throws HttpError `bad-reply`. */
  tunnel(status: number, headers: HeadersInit | undefined, date: string): string {
    if (status < 200 || status > 299) {
      throw localError("bad-reply", `a tunnel is opened by a 2xx, not by ${status}`);
    }
    this.#given.read(headers);
    return `${formatStatusLine(status)}${this.#given.date ? "" : date}${this.#unframed()}\r\n`;
  }

  /** The fields of a head without a message behind it. */
  #unframed(): string {
    const { length, close, text } = this.#given;
    if (length >= 0) throw localError("bad-reply", "no Content-Length: what follows is another protocol");
    if (close) throw localError("bad-reply", "no Connection: close: another protocol goes on");
    return text;
  }

  /** The protocols in the Upgrade lines of the latest head. */
  get protocols(): readonly string[] {
    return this.#given.protocols;
  }

  /** A request: its head, and its body when that is complete. @throws HttpError `bad-request`, `bad-reply`. */
  request(line: string, headers: HeadersInit | undefined, body: BodyInit, open: boolean): Output {
    const given = this.#given;
    given.read(headers);
    const offers = given.protocols.length > 0;
    if (given.upgrades && !offers) throw localError("bad-request", "Connection: upgrade without Upgrade");
    if (given.hosts !== 1) throw localError("bad-request", "a request has exactly one Host (RFC 9112 §3.2)");
    this.closes = given.close;
    this.#contentless = false;
    this.#left = -1;
    this.#framing = "none";
    let head = line + given.text;
    let content: string | Uint8Array = "";
    if (open) {
      this.#left = given.length;
      if (given.length < 0) this.#framing = "chunked";
      head += given.length < 0 ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${given.length}\r\n`;
    } else {
      const length = lengthOf(body);
      if (length > 0) content = contentOf(body, length);
      if (given.length >= 0 && given.length !== length) {
        throw localError(
          "length-mismatch",
          `Content-Length is ${given.length}, the body has ${length} bytes`,
        );
      }
      if (body !== undefined && body !== null) head += `Content-Length: ${length}\r\n`;
    }
    if (offers) head += "Connection: Upgrade\r\n";
    if (given.close) head += "Connection: close\r\n";
    return join(`${head}\r\n`, content);
  }

  /** A piece of an open body. @throws HttpError `length-mismatch` when it is more than was declared. */
  data(bytes: Uint8Array | string): Output {
    const length = lengthOf(bytes);
    // An empty chunk would be the last one.
    if (length === 0 || this.#contentless) return "";
    const content = contentOf(bytes, length);
    if (this.#framing === "chunked") {
      const size = `${length.toString(16)}\r\n`;
      return typeof content === "string" ? `${size}${content}\r\n` : [size, content, "\r\n"];
    }
    if (this.#left >= 0) {
      if (length > this.#left) {
        throw localError("length-mismatch", `the body is longer than its Content-Length says`);
      }
      this.#left -= length;
    }
    return content;
  }

  /** The end of an open body. @throws HttpError `length-mismatch` when less was sent than was declared. */
  end(trailers: HeadersInit | undefined): Output {
    if (this.#left > 0) {
      throw localError("length-mismatch", `${this.#left} bytes less were sent than Content-Length says`);
    }
    if (this.#framing !== "chunked" || this.#contentless) return "";
    if (trailers === undefined) return "0\r\n\r\n";
    let text = "";
    for (const [name, value] of pairsOf(trailers)) {
      if (isForbiddenTrailer(name)) throw localError("bad-reply", `${name} must not be a trailer`);
      text += formatFieldLine(name, value);
    }
    return `0\r\n${text}\r\n`;
  }
}

/** Bytes on the wire. A string that is ASCII has as many as characters, and may be sent as latin1 as it is. */
function lengthOf(body: BodyInit): number {
  if (body === undefined || body === null) return 0;
  if (typeof body === "string") return Buffer.byteLength(body);
  if (!(body instanceof Uint8Array))
    throw localError("bad-reply", `content is a string or a Uint8Array, not ${typeof body}`);
  return body.length;
}

/** What goes on the wire: text that is not ASCII as bytes of UTF-8. `length` is that of `lengthOf`. */
function contentOf(body: BodyInit, length: number): string | Uint8Array {
  if (typeof body !== "string") return body ?? "";
  return length === body.length ? body : Buffer.from(body);
}

/** RFC 9110 §8.6: no Content-Length in 204; in 304 only that of the 200 it stands for. */
function hasLengthField(status: number): boolean {
  return status !== 204 && status !== 304;
}

function join(head: string, content: string | Uint8Array): Output {
  if (content.length === 0) return head;
  if (typeof content === "string") return head + content;
  if (content.length > JOIN_LIMIT) return [head, content];
  return head + Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
}
