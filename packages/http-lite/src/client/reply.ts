// A reply as the caller sees it: its head, and how to read its body.
import type { HeaderMap } from "../fields.ts";
import type { ResponseEvent, Version } from "../messages.ts";
import type { ReplyBody } from "./reply-body.ts";

/** A reply. Read its body to the end, or `discard()` it: until then a long one holds its connection. */
export interface HttpClientResponse {
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: HeaderMap;
  /**
   * The body's bytes, under backpressure, to be read once. Leaving the loop early is as good as `discard()`.
   * @throws HttpError `incomplete`, `timeout`, `connection-failed`, `aborted`, or what is wrong with the body.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Trailers: empty until the body has been read to its end. */
  readonly trailers: HeaderMap;
  /** The whole body. @throws HttpError `body-too-large` over `limits.maxBodyBytes`, and as `body`. */
  bytes(): Promise<Buffer>;
  /** The whole body as UTF-8. @throws as `bytes`. */
  text(): Promise<string>;
  /** The rest of the body is not wanted. Closes the connection, unless little is known to be left of it. */
  discard(): void;
}

/** Makes the reply out of its head. `limit` is what `bytes()` and `text()` gather at most. */
export class Reply implements HttpClientResponse {
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: HeaderMap;
  readonly body: ReplyBody;
  readonly #limit: number;

  constructor(head: ResponseEvent, body: ReplyBody, limit: number) {
    this.status = head.status;
    this.reason = head.reason;
    this.version = head.version;
    this.headers = head.headers;
    this.body = body;
    this.#limit = limit;
  }

  get trailers(): HeaderMap {
    return this.body.trailers;
  }

  bytes(): Promise<Buffer> {
    return this.body.gather(this.#limit);
  }

  async text(): Promise<string> {
    return (await this.bytes()).toString("utf8");
  }

  discard(): void {
    this.body.leave();
  }
}
