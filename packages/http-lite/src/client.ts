// The public client API: one server, its connections kept and used again, or one request on a connection of its own. It
// parses nothing.
import { connect, DeadlineTimer, TcpError } from "@tcpkit/core";
import type { Connection, ConnectOptions } from "@tcpkit/core";
import { Call } from "./client/call.ts";
import { messageOf } from "./client/message.ts";
import type { Message, RequestBody, RequestTrailers } from "./client/message.ts";
import { ClientPool } from "./client/pool.ts";
import type { HttpClientResponse } from "./client/reply.ts";
import type { HttpRefused, HttpSwitched } from "./client/switched.ts";
import { checkPath } from "./client/target.ts";
import { boundsOver } from "./bounds.ts";
import { localError } from "./errors.ts";
import { pairsOf } from "./fields.ts";
import { DEFAULT_CLIENT_DEADLINES, withDefaults } from "./limits.ts";
import type { HttpClientDeadlines, HttpLimits } from "./limits.ts";
import type { BodyInit, HeadersInit, InformationalEvent } from "./messages.ts";
import { isAuthority } from "./wire.ts";

/** One server, and how to speak to it. */
export interface HttpClientOptions extends Pick<
  ConnectOptions,
  "host" | "port" | "tls" | "proxyProtocol" | "lookup" | "attemptDelay" | "clock" | "timer" | "tap"
> {
  /** Default: `"127.0.0.1"`; with `socketPath`, where it is only a name, `"localhost"`. */
  readonly host?: string | undefined;
  /** Default: 80; with `tls`, 443. */
  readonly port?: number | undefined;
  /** Connect to a Unix domain socket instead. */
  readonly socketPath?: string | undefined;
  /** Connections at one time, used, idle or being made; one that is being closed no longer counts. Default: 8. */
  readonly maxConnections?: number | undefined;
  /** Requests that may wait for a connection. Default: 1024. */
  readonly maxWaiting?: number | undefined;
  /**
   * Most requests that are sent and not answered on one connection (RFC 9112 §9.3.2). More than 1 lets idempotent ones without
   * a body (GET, HEAD, OPTIONS, DELETE, …) go behind each other where there are as many connections as may be, and only on one
   * that has answered before. Replies come in the order of the requests: a slow one holds up those behind it. Default: 1.
   */
  readonly pipelining?: number | undefined;
  /** Deadlines that differ from `DEFAULT_CLIENT_DEADLINES`, in milliseconds; `Infinity` for ever. */
  readonly deadlines?: Partial<HttpClientDeadlines> | undefined;
  /** Bounds that differ from `DEFAULT_LIMITS`; `Infinity` for none. `maxBodyBytes` is for `bytes()` and `text()`. */
  readonly limits?: Partial<HttpLimits> | undefined;
  /** Makes a connection; heed its `signal` and `deadline`. Default: core's `connect`. */
  readonly connect?: ((options: ConnectOptions) => Promise<Connection>) | undefined;
}

/** One request. */
export interface HttpClientRequest {
  /** Default: `"GET"`. */
  readonly method?: string | undefined;
  /**
   * The target, percent-encoded, with its query: `"/…"`; for OPTIONS also `"*"`; to a proxy in absolute-form, `"http://host/…"`,
   * without user information (RFC 9112 §3.2). Default: `"/"`.
   */
  readonly path?: string | undefined;
  /**
   * `Host` is made from host and port, or is that of a `path` in absolute-form, unless it is given. Where there is no body, POST,
   * PUT and PATCH say `Content-Length: 0` (RFC 9110 §8.6). With `Expect: 100-continue` the body waits until the server asks for
   * it, or `deadlines.continue` is over, and is not sent when the server answers first.
   */
  readonly headers?: HeadersInit | undefined;
  /** An iterable is sent in chunks, or, with a Content-Length among the headers, as it is; its `return()` is called when the rest is not wanted. */
  readonly body?: RequestBody;
  /**
   * Fields behind the body, which must be an iterable without Content-Length; or a function that gives them, called when the
   * body has ended. What must not stand there (RFC 9110 §6.5.1) is refused: at once, or, where a function gives it, by failing
   * the request.
   */
  readonly trailers?: RequestTrailers | undefined;
  /**
   * Hears interim replies (1xx). What it throws, or rejects with, fails the request, or the reading of its reply, unless the reply
   * is complete.
   */
  readonly onInformational?: ((event: InformationalEvent) => void) | undefined;
  /** Ends the request, or the reading of its reply, when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** A request for another protocol (RFC 9110 §7.8). */
export interface HttpUpgradeRequest extends Omit<HttpClientRequest, "body" | "trailers"> {
  /** Offered, best first: `["websocket"]`. They are the `Upgrade` field; `Connection: Upgrade` is added. */
  readonly protocols: readonly string[];
  readonly body?: BodyInit;
}

/** A request for a tunnel (RFC 9110 §9.3.6). */
export interface HttpConnectRequest extends Pick<
  HttpClientRequest,
  "headers" | "onInformational" | "signal"
> {
  /** Where the tunnel leads, as `host:port`. It is the `Host`, too. */
  readonly target: string;
}

/** One request, and the server it is for. */
export interface HttpRequestOptions
  extends HttpClientRequest, Omit<HttpClientOptions, "maxConnections" | "maxWaiting" | "pipelining"> {}

type CallOptions = Pick<HttpClientRequest, "signal" | "onInformational">;

/** The timer of requests that wait for a connection. */
const sharedTimer = new DeadlineTimer();

/**
 * A client of one server. It keeps connections and sends one request at a time on each, unless `pipelining` allows more; the
 * others wait in turn.
 *
 * A request that went out on a kept connection which the server closed without a byte of a reply is sent once more, on a
 * new one, if that is safe: GET, HEAD, OPTIONS, PUT or DELETE, with a body that is not an iterable (RFC 9110 §9.2.2). So are
 * those that were pipelined behind a request with which their connection ended, whatever the reason.
 * Redirects are left to the caller.
 */
export class HttpClient implements AsyncDisposable {
  readonly #pool: ClientPool;
  readonly #host: string;

  /**
   * @throws HttpError `bad-request` for a host that is none, or a limit or deadline that is NaN, negative, or, where it counts, not
   * whole; TcpError `bad-option`.
   */
  constructor(options: HttpClientOptions = {}) {
    const { maxConnections = 8, maxWaiting = 1024, pipelining = 1, timer = sharedTimer } = options;
    if (!(maxConnections >= 1)) {
      throw new TcpError("bad-option", `maxConnections must be 1 or more, not ${maxConnections}`);
    }
    if (!(pipelining >= 1)) {
      throw new TcpError("bad-option", `pipelining must be 1 or more, not ${pipelining}`);
    }
    if (!(maxWaiting >= 0)) {
      throw new TcpError("bad-option", `maxWaiting must be 0 or more, not ${maxWaiting}`);
    }
    const deadlines = boundsOver(DEFAULT_CLIENT_DEADLINES, options.deadlines, false);
    const limits = withDefaults(options.limits);
    this.#host = hostOf(options);
    const dial = options.connect ?? connect;
    const target = targetOf(options);
    this.#pool = new ClientPool({
      maxConnections,
      maxWaiting,
      pipelining,
      deadlines,
      limits,
      timer,
      connect: (signal) => dial({ ...target, deadline: deadlines.connect, signal }),
    });
  }

  /**
   * Sends a request, and resolves with the reply's head.
   *
   * It rejects with an HttpError: `bad-request` for CR, LF, NUL and the like in what is given, before a byte is sent; `timeout`, whose `deadline` tells which; `pool-full`; `aborted`; `incomplete` or `connection-failed` when the server
   * goes; or what is wrong with the reply. When connecting fails, but for its deadline: with TcpError, as `connect()`.
   */
  request(options: HttpClientRequest = {}): Promise<HttpClientResponse> {
    const { method = "GET", path = "/", headers, body, trailers } = options;
    try {
      checkPath(method, path);
      const message = messageOf({ method, target: path, host: this.#host, headers, body, trailers });
      return this.#call(message, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Asks for another protocol on the connection, which is the caller's when the server accepts with 101 (RFC 9110 §7.8). Any
   * other reply is an ordinary one: look at `type`. Until then all is as with `request`, `deadlines.head` too.
   */
  async upgrade(options: HttpUpgradeRequest): Promise<HttpSwitched | HttpRefused> {
    const { method = "GET", path = "/", protocols, headers, body } = options;
    checkPath(method, path);
    return this.#switch(
      messageOf({ method, target: path, host: this.#host, headers, body, protocols }),
      options,
    );
  }

  /**
   * Asks a proxy for a tunnel, which the connection is when it answers with a 2xx (RFC 9110 §9.3.6). Any other reply is an
   * ordinary one: look at `type`. Until then all is as with `request`. CONNECT is never repeated.
   */
  async connect(options: HttpConnectRequest): Promise<HttpSwitched | HttpRefused> {
    const { target, headers } = options;
    return this.#switch(messageOf({ method: "CONNECT", target, host: target, headers }), options);
  }

  #switch(message: Message, options: CallOptions): Promise<HttpSwitched | HttpRefused> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpSwitched | HttpRefused>();
    this.#call(message, options, resolve).then((reply) => resolve({ type: "refused", reply }), reject);
    return promise;
  }

  #call(
    message: Message,
    { signal, onInformational }: CallOptions,
    onSwitched?: (switched: HttpSwitched) => void,
  ): Promise<HttpClientResponse> {
    if (this.#pool.closing) throw localError("wrong-state", "the client is closed");
    const call = new Call(message, signal, onInformational, onSwitched);
    if (!call.done) this.#pool.serve(call);
    return call.response;
  }

  /**
   * Takes no more requests, closes idle connections and lets the others finish: requests that were made are answered, and
   * replies read, up to `deadline` milliseconds (default: 5000). Resolves when the last connection has closed.
   */
  close({ deadline = 5000 }: { readonly deadline?: number | undefined } = {}): Promise<void> {
    return this.#pool.close(deadline);
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Sends one request on a connection of its own, which closes with the reply. Otherwise as `HttpClient.request`.
 * @throws HttpError and TcpError, as `HttpClient` and its `request`.
 */
export async function request(options: HttpRequestOptions): Promise<HttpClientResponse> {
  const headers = [...pairsOf(options.headers ?? {}), ["Connection", "close"]] as const;
  return new HttpClient(options).request({ ...options, headers });
}

/** What `connect` of core is told. */
function targetOf(options: HttpClientOptions): ConnectOptions {
  const { host, port, socketPath, proxyProtocol, lookup, attemptDelay, clock, timer, tap } = options;
  const common = { proxyProtocol, lookup, attemptDelay, clock, timer, tap, service: "http-client" };
  const tls = tlsOf(options);
  if (socketPath !== undefined) return { ...common, tls, path: socketPath };
  return { ...common, tls, host, port: port ?? (tls === undefined ? 80 : 443) };
}

function tlsOf({ host, tls }: HttpClientOptions): ConnectOptions["tls"] {
  if (tls === undefined) return undefined;
  // For a Unix socket, too: there the host is but the name that the certificate must have.
  return { ALPNProtocols: ["http/1.1"], servername: host, ...(tls === true ? {} : tls) };
}

/** The `Host` of requests: the port is left out where it is the default (RFC 9110 §7.2). */
function hostOf({ host, port, socketPath, tls }: HttpClientOptions): string {
  const name = host ?? (socketPath === undefined ? "127.0.0.1" : "localhost");
  const usual = tls === undefined ? 80 : 443;
  const authority = name.includes(":") ? `[${name}]` : name;
  const value = port === undefined || port === usual ? authority : `${authority}:${port}`;
  if (!isAuthority(value)) throw localError("bad-request", `${JSON.stringify(value)} is no host`);
  return value;
}
