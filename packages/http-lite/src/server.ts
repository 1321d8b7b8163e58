// Binds HTTP sessions to core's connections: the public server API. It parses nothing.
import { createListener, drive } from "@tcpkit/core";
import type { Deadlines, DropReason, Listener, ListenOptions, TlsOptions } from "@tcpkit/core";
import { boundsOver } from "./bounds.ts";
import { dateField } from "./date.ts";
import { Exchanges } from "./exchange.ts";
import type { HttpHandler } from "./handler.ts";
import type { HttpRequest } from "./request.ts";
import { DEFAULT_DEADLINES, withDefaults } from "./limits.ts";
import type { HttpLimits } from "./limits.ts";
import { httpProtocol } from "./protocol.ts";

export interface HttpServerOptions extends ListenOptions {
  /** HTTPS: a key and a certificate, as for any listener. Default for `ALPNProtocols`: `["http/1.1"]`. */
  readonly tls?: TlsOptions | undefined;
  /** Bounds that differ from `DEFAULT_LIMITS`; `Infinity` for none. */
  readonly limits?: Partial<HttpLimits> | undefined;
  /** Deadlines that differ from `DEFAULT_DEADLINES`, in milliseconds; `Infinity` for ever. */
  readonly deadlines?: Deadlines | undefined;
  /**
   * Methods that are served; others that are known are answered 405, unknown ones 501. Default: `DEFAULT_METHODS`, which has
   * neither CONNECT (list it, and take the connection over) nor TRACE.
   */
  readonly methods?: readonly string[] | undefined;
  /**
   * Hears what a handler threw, or a take-over; the client gets 500. It hears nothing of what the client did wrong. What it throws
   * itself, or rejects with, goes to `console.error`. Default: `console.error`.
   */
  readonly onError?: ((error: unknown, request: HttpRequest) => void) | undefined;
}

/**
 * Serves HTTP/1.1 (and 1.0).
 *
 * A handler gets a request and returns a reply, at once or as a promise. What it throws is answered by 500, or,
 * once a reply has begun, by closing the connection. An HttpError that the request's body raised, or the program made, is
 * answered by its status where it blames the client (`blame` is `"remote"`); one of HttpClient is a failure like any other: 500.
 *
 * Closing drains: requests in hand, and those that arrive within `deadlines.goodbye` on a connection that was kept, are
 * answered with `Connection: close`.
 * @throws TcpError as `listen`; HttpError `bad-request` for a limit or deadline that is NaN, negative, or, where it counts, not
 * whole.
 */
export async function serveHttp(handler: HttpHandler, options: HttpServerOptions = {}): Promise<Listener> {
  const limits = withDefaults(options.limits);
  const deadlines = boundsOver<Deadlines>(DEFAULT_DEADLINES, options.deadlines, false);
  const protocol = httpProtocol({ limits, methods: options.methods, date: dateField });
  const tls = withAlpn(options.tls);
  const listener = createListener({ service: "http", refusal, ...options, tls });
  const { onError = report } = options;
  const settings = {
    limits,
    onError: (error: unknown, request: HttpRequest): void => void tell(onError, error, request),
  };
  listener.on("connection", (connection) => {
    const exchanges = new Exchanges(connection, handler, settings);
    drive(connection, protocol, exchanges.handle, { deadlines });
  });
  return listener.listen();
}

/** Clients that offer HTTP/2 as well hear that it is HTTP/1.1, and those that offer nothing else are refused (RFC 7301). */
function withAlpn(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined || tls.ALPNCallback !== undefined) return tls;
  return { ALPNProtocols: ["http/1.1"], ...tls };
}

/** What a client is told that core's admission turns away; one whose address is denied is told nothing. */
function refusal(reason: DropReason): string | undefined {
  if (reason === "denied") return undefined;
  return `HTTP/1.1 503 Service Unavailable\r\n${dateField()}Retry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
}

type OnError = NonNullable<HttpServerOptions["onError"]>;

/** Tells `onError`, whose own failure goes no further. */
async function tell(onError: OnError, error: unknown, request: HttpRequest): Promise<void> {
  try {
    const told: unknown = onError(error, request);
    await told;
  } catch (failure) {
    console.error("http: onError failed:", failure);
  }
}

function report(error: unknown): void {
  console.error("http: a handler failed:", error);
}
