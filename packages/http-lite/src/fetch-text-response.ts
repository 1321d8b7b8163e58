// A Fetch Response that holds its text as text. The platform's own makes a stream of every body at once, which costs more
// than all the rest of a small reply. It stands in for that one only where a program has asked for it: see `fetchHandler`.

/** The platform's own, whatever becomes of the global one. */
let NativeResponse: typeof globalThis.Response;
export const TEXT = "text/plain;charset=UTF-8";

/** What can be sent without a stream. */
export interface TextReply {
  readonly status: number;
  /** `undefined`: just the type of a text. */
  readonly headers: Headers | undefined;
  readonly text: string;
}

/** Like the platform's, which is made as soon as something about the body is asked for that needs it. */
export class TextResponse implements Response {
  readonly status: number;
  readonly statusText = "";
  readonly type = "default";
  readonly url = "";
  readonly redirected = false;
  readonly #text: string;
  #headers: Headers | undefined;
  #native: Response | undefined;

  constructor(text: string, status: number, headers: Headers | undefined) {
    this.#text = text;
    this.status = status;
    this.#headers = headers;
  }

  /** What `new Response(body, init)` makes, where that is in our reach: text, and nothing that would have to be refused. */
  static of(body: unknown, init: ResponseInit | undefined): TextResponse | undefined {
    if (typeof body !== "string") return undefined;
    if (init === undefined) return new TextResponse(body, 200, undefined);
    if (typeof init !== "object" || init === null) return undefined;
    const { status = 200, statusText = "", headers } = init;
    const ordinary = Number.isInteger(status) && status >= 200 && status <= 599;
    if (!ordinary || status === 204 || status === 205 || status === 304 || statusText !== "")
      return undefined;
    if (headers === undefined) return new TextResponse(body, status, undefined);
    const own = new Headers(headers);
    if (!own.has("content-type")) own.set("content-type", TEXT);
    return new TextResponse(body, status, own);
  }

  /** What to send in place of a Response; `undefined` when that has, or may have, a stream. */
  static replyOf(response: Response): TextReply | undefined {
    if (!(#text in response) || response.#native !== undefined) return undefined;
    return { status: response.status, headers: response.#headers, text: response.#text };
  }

  get ok(): boolean {
    return this.status < 300;
  }

  get headers(): Headers {
    return (this.#headers ??= new Headers({ "content-type": TEXT }));
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#made.body;
  }

  get bodyUsed(): boolean {
    return this.#native?.bodyUsed ?? false;
  }

  clone(): Response {
    return new NativeResponse(this.#made.clone().body, { status: this.status, headers: this.headers });
  }

  text(): Promise<string> {
    return this.#made.text();
  }

  json(): Promise<unknown> {
    return this.#made.json();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#made.bytes() as Promise<Uint8Array<ArrayBuffer>>;
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#made.arrayBuffer();
  }

  blob(): Promise<Blob> {
    return this.#made.blob();
  }

  formData(): Promise<FormData> {
    // oxlint-disable-next-line no-deprecated -- a Response has it
    return this.#made.formData();
  }

  /** The platform's own, made now if there is none yet. From then on the body is there, the headers stay here. */
  get #made(): Response {
    return (this.#native ??= new NativeResponse(this.#text, { status: this.status, headers: this.headers }));
  }
}

/** As `passForRequests`. */
export function passForResponses(native: typeof globalThis.Response): void {
  NativeResponse = native;
  Object.setPrototypeOf(TextResponse.prototype, native.prototype);
}
