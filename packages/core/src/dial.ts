// Happy Eyeballs (RFC 8305): several addresses, one connection, and no long wait for one that does not answer. It knows
// addresses, attempts and their times; what an attempt is made of it must not know.
import type { Address } from "./address.ts";
import { formatAddress } from "./address.ts";
import { after } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { causeOf } from "./close-reason.ts";
import type { Connection } from "./connection.ts";
import { TcpError } from "./errors.ts";

/** An IP address of a host, as `dns.lookup` gives it. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

export interface Race {
  /** In the order in which they are tried; at least one. */
  readonly addresses: readonly Address[];
  /** Begins an attempt: the connection emits `connect`, or `close` when it fails. */
  readonly start: (address: Address) => Connection;
  /** How long an attempt has the field to itself before the next one joins it, in milliseconds. */
  readonly delay: number;
  readonly clock: Clock;
  /** Ends the race without a winner. */
  readonly signal: AbortSignal;
}

/**
 * Sorts addresses so that the families take turns, beginning with the first one's (RFC 8305 section 4): where one
 * family does not work at all, the second attempt is of the other. Within a family the resolver's order stays.
 */
export function interleave(addresses: readonly HostAddress[]): HostAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const sorted: HostAddress[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    sorted.push(...first.slice(index, index + 1), ...second.slice(index, index + 1));
  }
  return sorted;
}

/**
 * Connects to whichever address answers first. Attempts run side by side: the next one starts when the delay has
 * passed, or at once when one has failed (RFC 8305 section 5). The losers are destroyed.
 * @throws AggregateError of a TcpError for every attempt, when all have failed or the signal aborted.
 */
export function race({ addresses, start, delay, clock, signal }: Race): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const waiting = [...addresses];
  const running = new Set<Connection>();
  const errors: TcpError[] = [];
  let settled = false;
  let cancelDelay = (): void => {};

  const settle = (): void => {
    settled = true;
    cancelDelay();
    signal.removeEventListener("abort", onAbort);
    for (const loser of running) loser.destroy();
  };
  const onAbort = (): void => {
    for (const { remote } of running) {
      errors.push(new TcpError("connect-timeout", `no answer from ${nameOf(remote)}`, { blame: "remote" }));
    }
    settle();
    reject(new AggregateError(errors));
  };
  const next = (): void => {
    cancelDelay();
    const address = waiting.shift();
    if (address === undefined) return;
    const connection = start(address);
    running.add(connection);
    const failed = (): void => {
      if (settled) return;
      running.delete(connection);
      errors.push(connectError(connection));
      next();
      if (running.size > 0) return;
      settle();
      reject(new AggregateError(errors));
    };
    connection.once("close", failed);
    connection.once("connect", () => {
      connection.off("close", failed);
      running.delete(connection);
      settle();
      resolve(connection);
    });
    if (waiting.length > 0) cancelDelay = after(clock, delay, next);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  else next();
  return promise;
}

/** Why an attempt failed, out of its close reason. */
function connectError(connection: Connection): TcpError {
  const reason = connection.closeReason;
  const cause = reason && causeOf(reason);
  if (cause instanceof TcpError) return cause;
  const where = nameOf(connection.remote);
  const code = (cause as NodeJS.ErrnoException)?.code;
  const options = { blame: "remote", cause } as const;
  if (code === "ECONNREFUSED" || code === "ENOENT") {
    return new TcpError("connection-refused", `nobody listens on ${where}`, options);
  }
  return new TcpError("connect-failed", `cannot connect to ${where}: ${cause?.message ?? "closed"}`, options);
}

function nameOf(remote: Address | undefined): string {
  return remote === undefined ? "the peer" : formatAddress(remote);
}
