// Node's diagnostics channels for connections, for agents and tools that know nothing of this program.
// It knows what is observed; it knows nothing of who subscribes.
import { channel } from "node:diagnostics_channel";
import type { Address } from "../address.ts";
import type { DropReason } from "../admission.ts";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { OpenConnections } from "./open-connections.ts";
import type { Opening } from "./open-connections.ts";
import type { Tap } from "./record.ts";

/** A connection of this process. */
export interface DiagnosedConnection {
  /** Counts the connections of this process: the `conn` of the event log, the `id` of a `Connection`. */
  readonly conn: number;
  /** Which side this process is. */
  readonly side: "server" | "client";
  /** The `service` of the event log: for a server, the name of its protocol. */
  readonly service: string;
  readonly local: Address | undefined;
  readonly remote: Address | undefined;
}

/** What is published, by the name of its channel. */
export interface DiagnosticsMessages {
  /** A listener is bound. */
  "tcpkit.listener.listening": { readonly service: string; readonly local: Address };
  /** A connection was turned away. */
  "tcpkit.listener.drop": {
    readonly service: string;
    readonly remote: Address | undefined;
    readonly reason: DropReason;
  };
  /** A connection was accepted, or one of ours is established. */
  "tcpkit.connection.open": DiagnosedConnection;
  /** A connection that was open has closed. */
  "tcpkit.connection.close": DiagnosedConnection & {
    /** The `kind` of its `CloseReason`. */
    readonly reason: string;
    /** The message of the error behind it. */
    readonly cause: string | undefined;
    readonly bytesIn: number;
    readonly bytesOut: number;
    /** From `open` to `close`, in milliseconds. */
    readonly duration: number;
  };
  /** Our write buffer of a connection has emptied after it was full. */
  "tcpkit.connection.drain": { readonly conn: number };
  /** Something failed: on a connection, or, without `conn`, on a listener. */
  "tcpkit.error": { readonly conn: number | undefined; readonly code: string; readonly message: string };
}

/** Publishes on one channel; the message is made only where somebody subscribes to it. */
function publisher<Name extends keyof DiagnosticsMessages>(
  name: Name,
): (make: () => DiagnosticsMessages[Name]) => void {
  const published = channel(name);
  return (make) => {
    if (published.hasSubscribers) published.publish(make());
  };
}

const publishListening = publisher("tcpkit.listener.listening");
const publishDrop = publisher("tcpkit.listener.drop");
const publishOpen = publisher("tcpkit.connection.open");
const publishClose = publisher("tcpkit.connection.close");
const publishDrain = publisher("tcpkit.connection.drain");
const publishError = publisher("tcpkit.error");

/**
 * A tap that publishes on the channels of `DiagnosticsMessages` (`node:diagnostics_channel`). Messages are made only
 * for channels with subscribers, and these may come and go at any time. `clock` measures durations; default: the real
 * one.
 */
export function diagnosticsTap(clock: Clock = systemClock): Tap {
  const connections = new OpenConnections(clock);
  return {
    observe(observation) {
      switch (observation.kind) {
        case "data":
          connections.data(observation);
          return;
        case "connection":
        case "connect":
          connections.open(observation);
          publishOpen(() => diagnosed(observation));
          return;
        case "close": {
          const closed = connections.close(observation.conn);
          if (closed === undefined) return;
          const { opening, ...figures } = closed;
          const { reason, cause } = observation;
          publishClose(() => ({ ...diagnosed(opening), reason, cause, ...figures }));
          return;
        }
        case "listening":
          publishListening(() => ({ service: observation.service, local: observation.local }));
          return;
        case "drop":
          publishDrop(() => ({
            service: observation.service,
            remote: observation.remote,
            reason: observation.reason,
          }));
          return;
        case "drain":
          publishDrain(() => ({ conn: observation.conn }));
          return;
        case "error":
          publishError(() => ({
            conn: observation.conn,
            code: observation.code,
            message: observation.message,
          }));
          return;
        default:
          // Messages and states are for the event log: channels tell what happens to connections.
          return;
      }
    },
  };
}

function diagnosed({ conn, kind, service, local, remote }: Opening): DiagnosedConnection {
  return { conn, side: kind === "connection" ? "server" : "client", service, local, remote };
}
