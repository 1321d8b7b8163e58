// What a program brings to the server: a handler, and what it may return. Types alone, no code.
import type { HeadersInit } from "./messages.ts";
import type { Body } from "./pieces.ts";
import type { HttpRequest } from "./request.ts";
import type { TakeOver } from "./upgrade.ts";

/** A reply as a handler returns it. A string stands for `{ body }`. */
export interface HttpResponse {
  /** Default: 200. */
  readonly status?: number | undefined;
  /** The reason phrase. Default: that of RFC 9110. */
  readonly reason?: string | undefined;
  readonly headers?: HeadersInit | undefined;
  /**
   * A string (sent as UTF-8, by default as text/plain), bytes, or an iterable of them, asynchronous or not, that is read under
   * backpressure: in chunks, or, with a Content-Length among the headers, as it is. Its iterator's `return()` is called when
   * the client goes. An iterable that never waits for anything costs least as a plain one.
   */
  readonly body?: Body;
  /** Sent after a chunked body; a function is called when the body has ended. */
  readonly trailers?: HeadersInit | (() => HeadersInit) | undefined;
}

/** A reply, or what stands in its place where another protocol takes the connection over. */
export type HttpResult = HttpResponse | string | TakeOver;

/** Answers a request, at once or later. */
export type HttpHandler = (request: HttpRequest) => HttpResult | Promise<HttpResult>;
