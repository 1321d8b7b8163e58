// A Fetch Request that is made of ours, piece by piece, as it is asked for. It reads no connection: HttpRequest does.
import type { HttpRequest } from "./request.ts";

/** The platform's own, whatever becomes of the global one. */
let NativeRequest: typeof globalThis.Request;
const utf8 = new TextDecoder();

/**
 * Until something asks for more than we have at hand, there is no platform Request beneath. Once there is one, it has the
 * body, and everything that concerns the body goes there. The headers stay here: it gets them each time that it is handed out.
 *
 * `text()`, `json()` and the like are bounded by `maxBodyBytes`, and so are those of a `clone()`. Not bounded, since a stream that
 * is gathered looks like one that is only read: `body`, and a `new Request(request)`.
 */
export class LazyRequest implements Request {
  readonly url: string;
  readonly #http: HttpRequest;
  #headers: Headers | undefined;
  #native: Request | undefined;
  /** The body was read without a platform Request. */
  #read = false;

  constructor(http: HttpRequest, url: string) {
    this.#http = http;
    this.url = url;
  }

  /** The platform's own Request of a LazyRequest; anything else as it is. */
  static nativeOf(value: unknown): unknown {
    return typeof value === "object" && value !== null && #http in value ? value.#handedOut : value;
  }

  get method(): string {
    return this.#http.method;
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      this.#headers = new Headers();
      for (const [name, value] of this.#http.headers.lines()) this.#headers.append(name, value);
    }
    return this.#headers;
  }

  /** As `HttpRequest.signal`. */
  get signal(): AbortSignal {
    return this.#http.signal;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#hasBody ? this.#made.body : null;
  }

  get bodyUsed(): boolean {
    return this.#native?.bodyUsed ?? this.#read;
  }

  async text(): Promise<string> {
    return utf8.decode(await this.#bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.#bytes());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  async blob(): Promise<Blob> {
    return (await this.#content()).blob();
  }

  async formData(): Promise<FormData> {
    // oxlint-disable-next-line no-deprecated -- applications call it; what it gathers is bounded here
    return (await this.#content()).formData();
  }

  clone(): Request {
    const clone = new LazyRequest(this.#http, this.url);
    clone.#headers = new Headers(this.headers);
    if (this.#hasBody) clone.#native = this.#made.clone();
    return clone;
  }

  // What says how a browser is to fetch has the same values in every Request that a server gets.
  get cache(): Request["cache"] {
    return "default";
  }
  get credentials(): Request["credentials"] {
    return "same-origin";
  }
  get destination(): Request["destination"] {
    return "";
  }
  get duplex(): Request["duplex"] {
    return "half";
  }
  get integrity(): string {
    return "";
  }
  get isHistoryNavigation(): boolean {
    return false;
  }
  get isReloadNavigation(): boolean {
    return false;
  }
  get keepalive(): boolean {
    return false;
  }
  get mode(): Request["mode"] {
    return "cors";
  }
  get redirect(): Request["redirect"] {
    return "follow";
  }
  get referrer(): string {
    return "about:client";
  }
  get referrerPolicy(): Request["referrerPolicy"] {
    return "";
  }

  /** GET and HEAD have none in Fetch, whatever the client sent. */
  get #hasBody(): boolean {
    const { method, hasBody } = this.#http;
    return hasBody && method !== "GET" && method !== "HEAD";
  }

  /** The platform's own, made now if there is none yet; without headers. */
  get #made(): Request {
    if (this.#native === undefined) {
      const { url, method, signal } = this;
      const body = !this.#hasBody ? null : this.#read ? new ReadableStream() : streamOf(this.#http.body);
      this.#native = new NativeRequest(url, { method, signal, body, duplex: "half" });
      // Read before: let it look used.
      if (this.#read) void this.#native.body?.cancel();
    }
    return this.#native;
  }

  /** The platform's own, with the headers as they are now. */
  get #handedOut(): Request {
    const native = this.#made;
    const names = [...native.headers.keys()];
    for (const name of names) native.headers.delete(name);
    for (const [name, value] of this.headers) native.headers.append(name, value);
    return native;
  }

  /** The whole body, without a stream where none has been made. */
  async #bytes(): Promise<Uint8Array> {
    const native = this.#native;
    if (native !== undefined) {
      const { body } = native;
      // Where somebody else reads, or has read, the platform refuses it.
      if (body === null || native.bodyUsed || body.locked) return native.bytes();
      return this.#http.gather(body);
    }
    if (!this.#hasBody) return new Uint8Array();
    if (this.#read) throw new TypeError("Body is unusable: it has been read already");
    this.#read = true;
    return this.#http.bytes();
  }

  /** Body and type, for what we leave to the platform to parse. */
  async #content(): Promise<Response> {
    const type = this.headers.get("content-type");
    const bytes = await this.bytes();
    return new Response(bytes, type === null ? {} : { headers: { "content-type": type } });
  }
}

/**
 * What LazyRequests pass for: `instanceof` holds, and nothing is inherited but what LazyRequest has itself. To be called before
 * the first is made, and not where nobody runs a Fetch application: to name Node's Fetch loads it, which takes time and memory.
 */
export function passForRequests(native: typeof globalThis.Request): void {
  NativeRequest = native;
  Object.setPrototypeOf(LazyRequest.prototype, native.prototype);
}

/** Read as it is asked for, and not before: asking is what sends 100 (Continue). */
function streamOf(body: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const source = body[Symbol.asyncIterator]();
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const { done, value } = await source.next();
      // The stream takes the memory of what it is given: a copy is given.
      if (done !== true) controller.enqueue(new Uint8Array(value));
      else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
    async cancel() {
      await source.return?.();
    },
  });
}
