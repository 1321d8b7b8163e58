// The words of the conversation: the events that come out of a session and the replies that go in.
// They are plain values; strings are made when somebody asks for them.
import type { Span } from "@tcpkit/core";
import type { HttpError } from "./errors.ts";
import type { HeaderMap } from "./fields.ts";
import type { Framing } from "./framing.ts";

export type Version = "1.0" | "1.1";

/** What a request's head is made of; its target stands in `bytes` at `[from, to)`. */
interface RequestHead extends Span {
  readonly method: string;
  readonly version: Version;
  readonly headers: HeaderMap;
  readonly framing: Framing;
  readonly expectsContinue: boolean;
  readonly upgrade: readonly string[];
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** A request's head. When `framing.type` is `"none"` the request is complete: no `data` and no `end` follow. */
export class RequestEvent implements Span {
  readonly type = "request";
  readonly start: number;
  readonly end: number;
  /** Case-sensitive: `"GET"`, `"POST"`, … */
  readonly method: string;
  readonly version: Version;
  readonly headers: HeaderMap;
  readonly framing: Framing;
  /** The client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  /**
   * Protocols that the client would rather speak, best first and in lower case, as `websocket`; empty when it offers none in
   * a way that counts (RFC 9110 §7.8).
   */
  readonly upgrade: readonly string[];
  #target: string | undefined;
  #bytes: Buffer | undefined;
  readonly #from: number;
  readonly #to: number;

  /** @internal Sessions make these. */
  constructor(head: RequestHead) {
    this.start = head.start;
    this.end = head.end;
    this.method = head.method;
    this.version = head.version;
    this.headers = head.headers;
    this.framing = head.framing;
    this.expectsContinue = head.expectsContinue;
    this.upgrade = head.upgrade;
    this.#bytes = head.bytes;
    this.#from = head.from;
    this.#to = head.to;
  }

  /** The request target as it was received. */
  get target(): string {
    if (this.#target === undefined) {
      this.#target = this.#bytes!.toString("latin1", this.#from, this.#to);
      this.#bytes = undefined;
    }
    return this.#target;
  }

  /** Makes every string now and lets go of the bytes, so that their buffer may be used again. */
  detach(): void {
    void this.target;
    this.headers.detach();
  }
}

/** A final reply's head, or a 101, in the client's role. As with a request, `"none"` means that it is complete. */
export interface ResponseEvent extends Span {
  readonly type: "response";
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: HeaderMap;
  readonly framing: Framing;
  /** The connection can carry another request after this reply. */
  readonly persists: boolean;
  /**
   * HTTP ends here: a 101 to what was offered (RFC 9110 §7.8), or a 2xx to CONNECT (§9.3.6). Another protocol begins behind
   * this head, with the session's `rest()`.
   */
  readonly switches: boolean;
}

/** An interim reply (1xx), in the client's role. A final one follows. */
export interface InformationalEvent extends Span {
  readonly type: "informational";
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: HeaderMap;
}

/** A piece of a body: content only, without chunk framing. */
export interface DataEvent extends Span {
  readonly type: "data";
  readonly bytes: Uint8Array;
}

/** The body is complete. */
export interface EndEvent extends Span {
  readonly type: "end";
  readonly trailers: HeaderMap;
}

/** The peer broke the protocol, or left in the middle of a message. Nothing more is read. */
export interface ErrorEvent extends Span {
  readonly type: "error";
  readonly error: HttpError;
}

export type HttpEvent = RequestEvent | ResponseEvent | InformationalEvent | DataEvent | EndEvent | ErrorEvent;

/** Fields to send: a plain object, or pairs (a `Map`, a `HeaderMap`, Fetch's `Headers`). */
export type HeadersInit =
  | Readonly<Record<string, string | number | readonly string[] | undefined>>
  | Iterable<readonly [name: string, value: string]>;

/** What follows a head that is sent. */
export type BodyInit =
  /** No body at all, or a complete one; its Content-Length is made. A string is sent as UTF-8. */
  string | Uint8Array | null | undefined;

/** A final reply's head, in the server's role, with its complete body or `open` for one that follows. */
export interface ResponseReply {
  readonly type: "response";
  readonly status: number;
  readonly reason?: string | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly body?: BodyInit;
  /**
   * `data` and `end` follow. With a Content-Length among the headers exactly that much must; without one the body
   * is sent in chunks, to HTTP/1.0 until the connection closes. Default: false.
   */
  readonly open?: boolean | undefined;
}

/** An interim reply, 102 to 199 or 100 (RFC 9110 §15.2). To HTTP/1.0 nothing is sent. */
export interface InformationalReply {
  readonly type: "informational";
  readonly status: number;
  readonly headers?: HeadersInit | undefined;
}

/**
 * Ends HTTP on this connection: another protocol begins behind the request, which must be complete. With `status` its head is
 * sent first, checked: 101 with an `Upgrade` field that names what was offered (RFC 9110 §7.8), or any 2xx to CONNECT
 * (§9.3.6). Without one nothing is sent: the new protocol's own code answers.
 */
export interface SwitchReply {
  readonly type: "switch";
  readonly status?: number | undefined;
  readonly headers?: HeadersInit | undefined;
}

/**
 * A request, in the client's role. `Upgrade` among the headers offers other protocols (`Connection: Upgrade` is added): with it,
 * and with CONNECT, whose target is host and port, the request is complete in itself and nothing follows it before its reply.
 */
export interface RequestReply {
  readonly type: "request";
  readonly method: string;
  readonly target: string;
  /** Must have a Host. */
  readonly headers?: HeadersInit | undefined;
  readonly body?: BodyInit;
  readonly open?: boolean | undefined;
}

/** A piece of an open body. */
export interface DataReply {
  readonly type: "data";
  readonly bytes: Uint8Array | string;
}

/** The end of an open body. Trailers need chunks; elsewhere they are left out. */
export interface EndReply {
  readonly type: "end";
  readonly trailers?: HeadersInit | undefined;
}

export type HttpReply =
  | ResponseReply
  | InformationalReply
  | SwitchReply
  | RequestReply
  | DataReply
  | EndReply;
