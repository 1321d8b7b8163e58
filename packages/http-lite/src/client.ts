// Asks: one request on a connection of its own, with the same session class as the server, in the other role.
// It parses nothing.
import { assertNever, ByteStream, connect, drive } from "@tcpkit/core";
import type { Connection, ConnectOptions, Peer } from "@tcpkit/core";
import { HttpError, localError } from "./errors.ts";
import { HeaderMap, pairsOf } from "./fields.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { HttpLimits } from "./limits.ts";
import type {
  HeadersInit,
  HttpEvent,
  HttpReply,
  InformationalEvent,
  ResponseEvent,
  Version,
} from "./messages.ts";
import { httpProtocol } from "./protocol.ts";
import { isAuthority } from "./wire.ts";

export interface HttpRequestOptions {
  /** Default: `"127.0.0.1"`. */
  readonly host?: string | undefined;
  /** Default: 80. */
  readonly port?: number | undefined;
  /** Default: `"GET"`. */
  readonly method?: string | undefined;
  /** The target, percent-encoded, with its query. Default: `"/"`. */
  readonly path?: string | undefined;
  /** `Host` is made from host and port unless it is given. */
  readonly headers?: HeadersInit | undefined;
  /** An iterable is sent in chunks, or, with a Content-Length among the headers, as it is. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array | string> | null | undefined;
  /** Bounds that differ from `DEFAULT_LIMITS`; `maxBodyBytes` is for `bytes()` and `text()`. */
  readonly limits?: Partial<HttpLimits> | undefined;
  /** How long the server may take until the reply's head, and between two pieces of its body, in milliseconds. Default: 30,000. */
  readonly deadline?: number | undefined;
  /** Hears interim replies (1xx). */
  readonly onInformational?: ((event: InformationalEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Watches the wire. */
  readonly tap?: ConnectOptions["tap"];
}

/** A reply. Read its body to the end, or `discard()` it: until then the connection is held. */
export interface HttpClientResponse {
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: HeaderMap;
  /** The body's bytes, under backpressure, to be read once. Leaving the loop early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Trailers: empty until the body has been read to its end. */
  readonly trailers: HeaderMap;
  /** The whole body. @throws HttpError `body-too-large` over `maxBodyBytes`, `incomplete`, `timeout`. */
  bytes(): Promise<Buffer>;
  /** The whole body as UTF-8. @throws as `bytes`. */
  text(): Promise<string>;
  /** Closes the connection; the rest of the body is not wanted. */
  discard(): void;
}

/**
 * Sends one request and resolves with the reply's head.
 * @throws TcpError when connecting fails; HttpError `bad-request` for CR, LF, NUL and the like in what is given,
 * before a byte is sent; `incomplete`, `timeout`, or what is wrong with the reply.
 */
export async function request(options: HttpRequestOptions): Promise<HttpClientResponse> {
  const {
    host = "127.0.0.1",
    port = 80,
    method = "GET",
    path = "/",
    body,
    signal,
    tap,
    deadline = 30_000,
  } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const streamed = isIterable(body);
  const head = {
    type: "request",
    method,
    target: path,
    headers: withHost(options.headers, host, port),
  } as const;
  const reply: HttpReply = streamed ? { ...head, open: true } : { ...head, body };
  const protocol = httpProtocol({ role: "client", limits });
  // Everything is checked on a session that leads nowhere, so that nothing is sent, nor connected to, in vain.
  protocol.session().send(reply);
  const connection = await connect({ host, port, signal, tap, deadline, service: "http-client" });
  const call = new Call(connection, limits.maxBodyBytes, options.onInformational);
  const peer = drive(connection, protocol, call.handle, { deadlines: { idle: deadline, message: deadline } });
  peer.send(reply);
  if (streamed) void call.upload(peer, body);
  return call.response;
}

/** One request and its reply. */
class Call {
  readonly response: Promise<HttpClientResponse>;
  readonly #connection: Connection;
  readonly #limit: number;
  readonly #onInformational: ((event: InformationalEvent) => void) | undefined;
  readonly #stream = new ByteStream();
  #settle: { resolve: (response: HttpClientResponse) => void; reject: (error: unknown) => void } | undefined;
  #trailers: HeaderMap | undefined;

  constructor(
    connection: Connection,
    limit: number,
    onInformational: ((event: InformationalEvent) => void) | undefined,
  ) {
    this.#connection = connection;
    this.#limit = limit;
    this.#onInformational = onInformational;
    this.response = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    connection.on("close", (reason) => {
      const cause = "cause" in reason ? reason.cause : undefined;
      const message = `the connection closed before the reply was complete (${reason.kind})`;
      this.#fail(new HttpError("connection-failed", message, { cause }));
    });
    connection.on("error", () => {
      // `close` follows, with the reason.
    });
  }

  readonly handle = (event: HttpEvent): void | Promise<void> => {
    switch (event.type) {
      case "informational":
        return this.#onInformational?.(event);
      case "response":
        this.#settle?.resolve(this.#responseOf(event));
        this.#settle = undefined;
        if (event.framing.type === "none") this.#complete(new HeaderMap());
        return undefined;
      case "data":
        return this.#stream.push(event.bytes);
      case "end":
        return this.#complete(event.trailers);
      case "error":
        return this.#fail(event.error);
      case "request":
        throw localError("wrong-state", "a client receives no requests");
      default:
        return assertNever(event);
    }
  };

  /** Sends an iterable's pieces as the server takes them. */
  async upload(peer: Peer<HttpReply>, body: AsyncIterable<Uint8Array | string>): Promise<void> {
    try {
      for await (const bytes of body) {
        if (!peer.send({ type: "data", bytes })) await peer.drained();
      }
      peer.send({ type: "end" });
    } catch (error) {
      // A server may answer before it has read everything, and close: then its answer counts.
      if (this.#settle === undefined) return;
      this.#fail(error);
      this.#connection.destroy();
    }
  }

  #complete(trailers: HeaderMap): void {
    this.#trailers = trailers;
    this.#stream.end();
    this.#connection.close();
  }

  #fail(error: unknown): void {
    this.#settle?.reject(error);
    this.#settle = undefined;
    if (this.#trailers === undefined) this.#stream.fail(error);
  }

  #responseOf({ status, reason, version, headers }: ResponseEvent): HttpClientResponse {
    const trailers = (): HeaderMap => this.#trailers ?? new HeaderMap();
    const body = this.#body();
    const bytes = (): Promise<Buffer> => gather(body, this.#limit);
    return {
      status,
      reason,
      version,
      headers,
      body,
      get trailers() {
        return trailers();
      },
      bytes,
      text: async () => (await bytes()).toString("utf8"),
      discard: () => {
        this.#stream.fail(new HttpError("aborted", "the reply was discarded", { blame: "local" }));
        this.#connection.destroy();
      },
    };
  }

  async *#body(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.#stream;
    } finally {
      if (this.#trailers === undefined) this.#connection.destroy();
    }
  }
}

async function gather(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > limit)
      throw new HttpError("body-too-large", `the body is over ${limit} bytes`, { status: 413 });
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}

/** The fields with a Host before them, and a word that this connection carries one request. */
function withHost(headers: HeadersInit | undefined, host: string, port: number): [string, string][] {
  const fields: [string, string][] = [];
  for (const [name, value] of pairsOf(headers ?? {})) fields.push([name, value]);
  if (!fields.some(([name]) => name.toLowerCase() === "host")) {
    const name = host.includes(":") ? `[${host}]` : host;
    const value = port === 80 ? name : `${name}:${port}`;
    if (!isAuthority(value)) throw localError("bad-request", `${JSON.stringify(value)} is no host`);
    fields.unshift(["Host", value]);
  }
  fields.push(["Connection", "close"]);
  return fields;
}

function isIterable(body: HttpRequestOptions["body"]): body is AsyncIterable<Uint8Array | string> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
