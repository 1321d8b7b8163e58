// Node's diagnostics channels for listeners and connections, for agents and tools that know nothing of this program: they
// need no tap. It knows what is observed; it knows nothing of who subscribes.
import { channel } from "node:diagnostics_channel";
import type { Channel } from "node:diagnostics_channel";
import type { Address } from "../address.ts";
import type { DropReason } from "../admission.ts";
import { systemClock } from "../clock.ts";
import { OpenConnections } from "./open-connections.ts";
import type { Opening } from "./open-connections.ts";
import type { Tap } from "./record.ts";
import { taps } from "./taps.ts";

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

/**
 * What is published, by the name of its channel. Whoever subscribes hears of every listener from then on, and of every
 * connection that is accepted, or begins to connect, from then on. Of connections that began before, nothing is published,
 * unless somebody else was subscribed to a channel of connections, or to `tcpkit.error`, when they did.
 */
export interface DiagnosticsMessages {
  /** A listener is bound. */
  "tcpkit.listener.listening": { readonly service: string; readonly local: Address };
  /** A listener was closed: it accepts nobody any more, and its open connections, so many, are asked to end. */
  "tcpkit.listener.draining": {
    readonly service: string;
    readonly local: Address;
    readonly connections: number;
  };
  /** Its last connection is gone. Of those that were open, so many ended in good order, and so many were cut. */
  "tcpkit.listener.drained": {
    readonly service: string;
    readonly local: Address;
    readonly drained: number;
    readonly cut: number;
  };
  /** A connection was turned away. */
  "tcpkit.listener.drop": {
    readonly service: string;
    readonly remote: Address | undefined;
    readonly reason: DropReason;
  };
  /** A connection was accepted, or one of ours is established. */
  "tcpkit.connection.open": DiagnosedConnection;
  /** A TLS handshake is done: before the connection opened, or in place. The rest as in `TlsDetails`. */
  "tcpkit.connection.secure": {
    readonly conn: number;
    readonly protocol: string;
    readonly cipher: string;
    readonly alpn: string | undefined;
    readonly servername: string | undefined;
  };
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

/** A channel and what is published on it, made only where somebody subscribes. */
class TypedChannel<Name extends keyof DiagnosticsMessages> {
  readonly #channel: Channel;

  constructor(name: Name) {
    this.#channel = channel(name);
  }

  get hasSubscribers(): boolean {
    return this.#channel.hasSubscribers;
  }

  publish(make: () => DiagnosticsMessages[Name]): void {
    if (this.#channel.hasSubscribers) this.#channel.publish(make());
  }
}

const listening = new TypedChannel("tcpkit.listener.listening");
const draining = new TypedChannel("tcpkit.listener.draining");
const drained = new TypedChannel("tcpkit.listener.drained");
const drop = new TypedChannel("tcpkit.listener.drop");
const open = new TypedChannel("tcpkit.connection.open");
const secure = new TypedChannel("tcpkit.connection.secure");
const close = new TypedChannel("tcpkit.connection.close");
const drain = new TypedChannel("tcpkit.connection.drain");
const error = new TypedChannel("tcpkit.error");

/** The tap of a listener: the one given, and the channels, whoever subscribes to them now or later. */
export function listenerTap(tap: Tap | undefined): Tap {
  return taps(tap, channels) ?? channels;
}

/** The tap of a connection that begins now: the one given, and the channels where somebody subscribes to them. */
export function connectionTap(tap: Tap | undefined): Tap | undefined {
  return subscribed() ? taps(tap, channels) : tap;
}

/** Somebody subscribes to what happens to connections. */
function subscribed(): boolean {
  return (
    open.hasSubscribers ||
    secure.hasSubscribers ||
    close.hasSubscribers ||
    drain.hasSubscribers ||
    error.hasSubscribers
  );
}

const connections = new OpenConnections(systemClock);

const channels: Tap = {
  // Channels tell what happens to connections; messages and states are for the event log.
  messages: false,
  observe(observation) {
    switch (observation.kind) {
      case "data":
        connections.data(observation);
        return;
      case "connection":
      case "connect":
        connections.open(observation);
        open.publish(() => diagnosed(observation));
        return;
      case "close": {
        const closed = connections.close(observation.conn);
        if (closed === undefined) return;
        const { opening, ...figures } = closed;
        const { reason, cause } = observation;
        close.publish(() => ({ ...diagnosed(opening), reason, cause, ...figures }));
        return;
      }
      case "secure":
        secure.publish(() => withoutKind(observation));
        return;
      case "listening":
        listening.publish(() => withoutKind(observation));
        return;
      case "draining":
        draining.publish(() => withoutKind(observation));
        return;
      case "drained":
        drained.publish(() => withoutKind(observation));
        return;
      case "drop":
        drop.publish(() => ({
          service: observation.service,
          remote: observation.remote,
          reason: observation.reason,
        }));
        return;
      case "drain":
        drain.publish(() => ({ conn: observation.conn }));
        return;
      case "error":
        error.publish(() => ({
          conn: observation.conn,
          code: observation.code,
          message: observation.message,
        }));
        return;
      default:
        return;
    }
  },
};

/** An observation, whose kind its channel tells. */
function withoutKind<Kinded extends { readonly kind: string }>({
  kind: _kind,
  ...message
}: Kinded): Omit<Kinded, "kind"> {
  return message;
}

function diagnosed({ conn, kind, service, local, remote }: Opening): DiagnosedConnection {
  return { conn, side: kind === "connection" ? "server" : "client", service, local, remote };
}
