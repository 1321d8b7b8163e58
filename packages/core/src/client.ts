// The connecting side. It knows host names, sockets and deadlines; it knows no protocol.
import { lookup as dnsLookup } from "node:dns/promises";
import { createConnection, isIP } from "node:net";
import type { Address } from "./address.ts";
import { formatAddress } from "./address.ts";
import { after, systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { Connection } from "./connection.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { interleave, race } from "./dial.ts";
import type { HostAddress } from "./dial.ts";
import { TcpError } from "./errors.ts";
import { openingOf, secure } from "./opening.ts";
import type { OpeningOptions } from "./opening.ts";

interface TargetOptions extends Pick<
  ConnectionOptions,
  "idleTimeout" | "allowHalfOpen" | "tap" | "service" | "timer"
> {
  /** The TCP port to connect to. Needed unless `path` is given. */
  readonly port?: number | undefined;
  /** The host to connect to. Default: `"127.0.0.1"`. */
  readonly host?: string | undefined;
  /** Connect to a Unix domain socket instead. */
  readonly path?: string | undefined;
  /** How long establishing the connection may take in all, look-up and TLS included, in milliseconds. Default: 10,000. */
  readonly deadline?: number | undefined;
  /** Destroys the connection when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** The clock of connecting, for tests with a fake one. Default: the system's. */
  readonly clock?: Clock | undefined;
}

export interface OpenOptions extends TargetOptions {
  /** Not here: a handshake has to be waited for, as `connect()` does. */
  readonly tls?: undefined;
  /** Not here: write `encodeProxyHeader(…)` first, or use `connect()`. */
  readonly proxyProtocol?: undefined;
}

export interface ConnectOptions extends TargetOptions, OpeningOptions {
  /** Turns a host name into addresses, the preferred one first. Default: all that `dns.lookup` knows. */
  readonly lookup?: Lookup | undefined;
  /**
   * How long one address has to answer before the next is tried beside it, in milliseconds; less than 10 counts as 10.
   * Default: 250. It is the Connection Attempt Delay of RFC 8305 section 5, and 250 what that recommends.
   */
  readonly attemptDelay?: number | undefined;
}

/** In milliseconds: fewer would be a flood (RFC 8305 section 5). */
const LEAST_ATTEMPT_DELAY = 10;

/** Finds the addresses of a host name. */
export type Lookup = (host: string) => Promise<readonly HostAddress[]>;

/**
 * Opens a connection without waiting: listen to `connect`, `error` and `close`. What is written before `connect`
 * is sent then. It is one socket, so the addresses of a host name are tried one after the other, by Node; `connect()`
 * tries them side by side.
 * @throws TcpError `bad-option`.
 */
export function open(options: OpenOptions): Connection {
  const { deadline = 10_000, signal, clock = systemClock } = options;
  const target = targetOf(options);
  const connection = attempt(target, options);
  const cancel = after(clock, deadline, () => {
    connection.destroy({
      kind: "timeout",
      deadline: "connect",
      cause: timeoutError(target, deadline, "connection to"),
    });
  });
  connection.once("connect", cancel);
  connection.once("close", cancel);
  destroyOnAbort(connection, signal);
  return connection;
}

/**
 * Connects, and resolves when the connection is established: with `tls`, after the handshake. Where a host name has several
 * addresses, IPv6 and IPv4 say, the first to answer wins (Happy Eyeballs, RFC 8305); the connection's `remote` tells which.
 * In TLS 1.3 a server judges the client's certificate after the handshake: its refusal is an `error` of the connection.
 * @throws TcpError `connection-refused`, `connect-timeout`, `connect-failed`, `tls-failed`, `aborted` or `bad-option`. The
 * `cause` of the first two, and of `connect-failed` but for a failed look-up, is an AggregateError with a TcpError per
 * attempt; once TLS has begun, it is what went wrong there.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { deadline = 10_000, attemptDelay = 250, signal, clock = systemClock } = options;
  const target = targetOf(options);
  const { header, tls } = openingOf(options, target);
  const delay = Math.max(attemptDelay, LEAST_ATTEMPT_DELAY);
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  const cancel = after(clock, deadline, abort);
  signal?.addEventListener("abort", abort);
  let connection: Connection | undefined;
  try {
    signal?.throwIfAborted();
    const addresses = await addressesOf(target, options.lookup ?? lookupAll, stop.signal);
    const start = (address: Address): Connection => attempt(address, options, header);
    connection = await race({ addresses, start, delay, clock, signal: stop.signal });
    // From here on the signal destroys the connection itself, and what `stop` still says is that time is up.
    signal?.removeEventListener("abort", abort);
    destroyOnAbort(connection, signal);
    if (tls !== undefined) await secure(connection, tls, target, stop.signal);
    return connection;
  } catch (cause) {
    if (signal?.aborted === true) throw abortError(signal);
    const made = connection !== undefined;
    if (stop.signal.aborted) throw timeoutError(target, deadline, made ? "TLS with" : "connection to", cause);
    throw made ? cause : failure(target, cause);
  } finally {
    cancel();
    signal?.removeEventListener("abort", abort);
  }
}

/** What the options name. @throws TcpError `bad-option`. */
export function targetOf({ host = "127.0.0.1", port, path }: TargetOptions): Address {
  if (path !== undefined) return { kind: "unix", path };
  if (port === undefined) throw new TcpError("bad-option", "connect() needs a port or a path");
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TcpError("bad-option", `port must be 0 to 65535, not ${port}`);
  }
  return { kind: "tcp", host, port };
}

/** One socket on its way to one address; it begins with `header`. */
function attempt(remote: Address, options: TargetOptions, header?: Uint8Array): Connection {
  const socket =
    remote.kind === "tcp"
      ? createConnection({ port: remote.port, host: remote.host, allowHalfOpen: true, noDelay: true })
      : createConnection({ path: remote.path, allowHalfOpen: true });
  const connection = new Connection(socket, options, { remote });
  socket.once("connect", () => {
    // Below the connection: the header is not the protocol's, and an attempt that lost the race sends none.
    if (header !== undefined) socket.write(header);
    connection.connected();
  });
  return connection;
}

/**
 * The system's resolver answers for both families at once, sorted by RFC 6724, so there is no Resolution Delay here
 * (RFC 8305 section 3).
 */
const lookupAll: Lookup = (host) => dnsLookup(host, { all: true });

async function addressesOf(target: Address, lookup: Lookup, signal: AbortSignal): Promise<Address[]> {
  if (target.kind === "unix" || isIP(target.host) !== 0) return [target];
  const { host, port } = target;
  const { promise, reject } = Promise.withResolvers<never>();
  const late = new TcpError("connect-timeout", `no answer to the look-up of ${host}`);
  signal.addEventListener("abort", () => reject(new AggregateError([late])), { once: true });
  const found = await Promise.race([lookup(host), promise]);
  if (found.length === 0) throw new Error(`${host} has no address`);
  return interleave(found).map(({ address }) => ({ kind: "tcp", host: address, port }));
}

function destroyOnAbort(connection: Connection, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const abort = (): void => connection.destroy({ kind: "aborted", cause: abortError(signal) });
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  connection.once("close", () => signal.removeEventListener("abort", abort));
}

function failure(target: Address, cause: unknown): TcpError {
  const where = formatAddress(target);
  if (!(cause instanceof AggregateError)) {
    const message = cause instanceof Error ? cause.message : String(cause);
    return new TcpError("connect-failed", `cannot look up ${where}: ${message}`, { blame: "remote", cause });
  }
  const errors: TcpError[] = cause.errors;
  const refused = errors.every(({ code }) => code === "connection-refused");
  const reasons = errors.map(({ message }) => message).join("; ");
  return new TcpError(
    refused ? "connection-refused" : "connect-failed",
    errors.length === 1 ? reasons : `cannot connect to ${where}: ${reasons}`,
    { blame: "remote", cause },
  );
}

function timeoutError(target: Address, deadline: number, what: string, cause?: unknown): TcpError {
  const message = `no ${what} ${formatAddress(target)} within ${deadline} ms`;
  return new TcpError("connect-timeout", message, { cause });
}

function abortError(signal: AbortSignal): TcpError {
  return new TcpError("aborted", "connecting was aborted", { cause: signal.reason });
}
