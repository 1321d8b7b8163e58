// Two connections joined in memory: no port, no kernel, the same code.
import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import { Connection } from "../connection.ts";
import type { ConnectionOptions } from "../connection-options.ts";
import { DeadlineTimer } from "../deadline.ts";
import type { Fault } from "./faults.ts";
import { Wire } from "./wire.ts";

export interface PairOptions {
  /** Options of both connections. */
  readonly connection?: ConnectionOptions;
  /** What happens to bytes on their way: in both directions, or in each its own. Default: nothing. */
  readonly faults?: Fault | readonly Fault[] | DirectedFaults | undefined;
  /** The clock that faults wait by, and deadlines too unless `connection.timer` is given. Default: the real one. */
  readonly clock?: Clock | undefined;
}

/** Faults of each direction; those of a list work one after the other. */
export interface DirectedFaults {
  readonly toServer?: Fault | readonly Fault[] | undefined;
  readonly toClient?: Fault | readonly Fault[] | undefined;
}

/**
 * A client's and a server's connection, joined in memory. What one writes, the other gets as `data`, in chunks as the
 * faults cut them; when one is destroyed before it has ended its side, or written to after it has closed, the other is reset.
 */
export function pair(options: PairOptions = {}): { client: Connection; server: Connection } {
  const { clock = systemClock } = options;
  const { toServer, toClient } = directed(options.faults);
  const timer = options.connection?.timer ?? new DeadlineTimer(clock);
  const [left, right] = duplexPair({ allowHalfOpen: true });
  const reset = (): void => {
    for (const side of [left, right]) {
      side.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
    }
  };
  const client = new Wire(left, { faults: listOf(toClient), clock, reset });
  const server = new Wire(right, { faults: listOf(toServer), clock, reset });
  client.peer = server;
  server.peer = client;
  const connect = (wire: Duplex): Connection => new Connection(wire, { ...options.connection, timer });
  return { client: connect(client), server: connect(server) };
}

function directed(faults: PairOptions["faults"] = []): DirectedFaults {
  return "start" in faults || "length" in faults ? { toServer: faults, toClient: faults } : faults;
}

function listOf(faults: Fault | readonly Fault[] = []): readonly Fault[] {
  return "start" in faults ? [faults] : faults;
}
