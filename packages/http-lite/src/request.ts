// A request as a handler sees it: plain values, made when they are asked for. It knows a session's event and a
// stream of bytes; it parses nothing that the session has parsed.
import type { Borrower, ByteStream } from "@tcpkit/core";
import { HttpError } from "./errors.ts";
import type { HeaderMap } from "./fields.ts";
import { Gathering } from "./gathering.ts";
import type { HeadersInit, RequestEvent, Version } from "./messages.ts";
import { authorityOf, pathOf, queryOf } from "./target.ts";

/** What a request needs from the connection that it came on. */
export interface RequestContext {
  readonly remoteAddress: string;
  readonly maxBodyBytes: number;
  /** True when the connection is encrypted. */
  readonly secure: boolean;
  /** True once the client is gone. */
  readonly gone: boolean;
  /** Sends an interim reply. */
  inform(request: HttpRequest, status: number, headers: HeadersInit | undefined): void;
}

/** One request. It is valid until its reply is complete. */
export class HttpRequest {
  readonly #event: RequestEvent;
  readonly #context: RequestContext;
  readonly #stream: ByteStream | undefined;
  #controller: AbortController | undefined;
  #query: URLSearchParams | undefined;

  /** @internal */
  constructor(event: RequestEvent, context: RequestContext, stream?: ByteStream) {
    this.#event = event;
    this.#context = context;
    this.#stream = stream;
  }

  /** Case-sensitive: `"GET"`, `"POST"`, … */
  get method(): string {
    return this.#event.method;
  }

  /** The request target as it was received (RFC 9112 §3.2). */
  get target(): string {
    return this.#event.target;
  }

  /**
   * The path of the target as it was received: percent-encoding, "." and ".." are left as they are, so that a
   * handler decides on the bytes that the client sent. `decodeURIComponent` decodes one segment.
   */
  get path(): string {
    return pathOf(this.#event.target);
  }

  /** The query, decoded as a form's. */
  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(queryOf(this.#event.target));
    return this.#query;
  }

  /** The host, with its port if one is given: that of a target in absolute-form, otherwise the Host field (RFC 9112 §3.2.2). */
  get host(): string | undefined {
    return authorityOf(this.#event.target) ?? this.#event.headers.get("host");
  }

  get version(): Version {
    return this.#event.version;
  }

  get headers(): HeaderMap {
    return this.#event.headers;
  }

  /**
   * Protocols that the client would rather speak, best first and in lower case, as `["websocket"]`: a `TakeOver` may be
   * returned (RFC 9110 §7.8). Empty when it offers none, or in a way to be ignored: in HTTP/1.0, or not named in Connection.
   */
  get upgrade(): readonly string[] {
    return this.#event.upgrade;
  }

  /** The IP address of the client; empty on a Unix socket. */
  get remoteAddress(): string {
    return this.#context.remoteAddress;
  }

  /** True when the connection is encrypted: the scheme is https. */
  get secure(): boolean {
    return this.#context.secure;
  }

  /** True when a body follows, even if that turns out to be empty. */
  get hasBody(): boolean {
    return this.#event.framing.type !== "none";
  }

  /**
   * The body's bytes, under backpressure, to be read once: here or by one of the methods below. Reading it answers
   * `Expect: 100-continue`. A piece may be kept; one that is only looked at costs less by `consume`.
   */
  get body(): AsyncIterable<Uint8Array> {
    return this.#stream ?? NO_BODY;
  }

  /**
   * Reads the body by pieces that are only lent: `take` may look at one until it returns, or until the promise that it returns
   * is resolved, and the next comes after that. Then the same memory is read into again, for any client; so what is to be kept
   * must be copied. Large uploads cost a third of what they cost by `body`. Resolves at the body's end.
   * @throws HttpError `incomplete` when the client leaves before it; what `take` throws, after which the rest is not read.
   */
  async consume(take: Borrower): Promise<void> {
    await this.#stream?.consume(take);
  }

  /**
   * The whole body.
   * @throws HttpError `body-too-large` (413) over `maxBodyBytes`, `incomplete` when the client leaves before its end.
   */
  async bytes(): Promise<Buffer> {
    const limit = this.#context.maxBodyBytes;
    const { framing } = this.#event;
    if (framing.type === "length" && framing.length > limit) throw tooLarge(limit);
    const gathering = new Gathering(framing.type === "length" ? framing.length : limit);
    await this.consume((piece) => {
      if (!gathering.add(piece)) throw tooLarge(limit);
    });
    return gathering.bytes;
  }

  /** @internal The same of a stream of the body. @throws as `bytes`. */
  async gather(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
    const limit = this.#context.maxBodyBytes;
    const gathering = new Gathering(limit);
    const reader = stream.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (gathering.add(read.value)) continue;
      // Not awaited: where the stream is one of two branches, it ends when the other one does.
      reader.cancel().catch(() => undefined);
      throw tooLarge(limit);
    }
    return gathering.bytes;
  }

  /** The whole body as UTF-8. @throws as `bytes`. */
  async text(): Promise<string> {
    return (await this.bytes()).toString("utf8");
  }

  /**
   * Aborts when the client goes before its reply is complete: when it resets the connection, and otherwise when something is
   * written to it. A client that only ends its side still awaits its reply, and TCP does not tell the two apart; so send
   * something now and then while you wait.
   *
   * A reset is seen at once, unless something that the client has sent is left unread: a body that is not read to its end, or a
   * next request, sent before this one is answered. Then nothing is read from the connection until that goes on, and a reset is
   * seen with it, or when something is written.
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#context.gone) this.abort();
    }
    return this.#controller.signal;
  }

  /** Sends an interim reply, such as 103 with `Link` fields; to HTTP/1.0 nothing is sent (RFC 9110 §15.2). */
  sendInformational(status: number, headers?: HeadersInit): void {
    this.#context.inform(this, status, headers);
  }

  /** @internal The client is gone. */
  abort(): void {
    this.#controller?.abort(new HttpError("aborted", "the client closed the connection"));
  }
}

function tooLarge(limit: number): HttpError {
  return new HttpError("body-too-large", `the body is over ${limit} bytes`, { status: 413 });
}

/** The body of every request that has none. */
const NO_BODY: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
};
