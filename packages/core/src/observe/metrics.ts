// Metrics through OpenTelemetry: `@tcpkit/core/metrics`. The only file of core that needs something besides Node, so it
// is an entry point of its own; `@opentelemetry/api` is an optional peer dependency.
// It knows what is observed and how it is counted; it knows nothing of who collects it.
import { metrics, ValueType } from "@opentelemetry/api";
import type { Attributes, Counter, Histogram, Meter, MetricOptions, UpDownCounter } from "@opentelemetry/api";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { OpenConnections } from "./open-connections.ts";
import type { Opening } from "./open-connections.ts";
import type { Direction, HandlingDone, Observation, Tap } from "./record.ts";

/** In seconds: from a single request to a connection that is kept for hours. */
const DURATIONS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400];

/** In seconds: those that the semantic conventions advise for HTTP requests, and below them what answers from memory. */
const HANDLING = [
  0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/**
 * A tap that counts. Names of its instruments, with their units:
 *
 * - `tcpkit.connection.active` (up-down counter, `{connection}`): open now
 * - `tcpkit.connection.accepted` (counter, `{connection}`): by listeners
 * - `tcpkit.connection.closed` (counter, `{connection}`), by `tcpkit.close.reason`
 * - `tcpkit.connection.duration` (histogram, `s`), by `tcpkit.close.reason`
 * - `tcpkit.connection.dropped` (counter, `{connection}`), by `tcpkit.drop.reason`
 * - `tcpkit.io` (counter, `By`), by `network.io.direction`: `receive` or `transmit`
 * - `tcpkit.message` (counter, `{message}`), by `network.io.direction` and `tcpkit.message.type`
 * - `tcpkit.handler.duration` (histogram, `s`), by `tcpkit.message.type`, that of the event, and, where the handler failed,
 *   `error.type`, the name of its error: from the call of a handler until it, and the promise that it returned, is done
 *
 * `network.protocol.name` is the `service`. All but `dropped` also have `network.transport` (`tcp` or `unix`),
 * `server.address` and `server.port`.
 *
 * `meter` is by default that of the global meter provider, named `@tcpkit/core`; `clock` measures durations, by default
 * the real one.
 */
export function metricsTap(meter: Meter = metrics.getMeter("@tcpkit/core"), clock: Clock = systemClock): Tap {
  return new MetricsTap(meter, clock);
}

class MetricsTap implements Tap {
  readonly #active: UpDownCounter;
  readonly #accepted: Counter;
  readonly #closed: Counter;
  readonly #duration: Histogram;
  readonly #dropped: Counter;
  readonly #io: Counter;
  readonly #message: Counter;
  readonly #handling: Histogram;
  readonly #clock: Clock;
  readonly #connections: OpenConnections;
  /** What tells one open connection's counts from another's, made once for each. */
  readonly #attributes = new Map<number, Attributes>();

  constructor(meter: Meter, clock: Clock) {
    const counting = (unit: string, description: string): MetricOptions => ({
      unit,
      description,
      valueType: ValueType.INT,
    });
    const counter = (name: string, unit: string, description: string): Counter =>
      meter.createCounter(name, counting(unit, description));
    this.#active = meter.createUpDownCounter(
      "tcpkit.connection.active",
      counting("{connection}", "Connections that are open."),
    );
    this.#accepted = counter("tcpkit.connection.accepted", "{connection}", "Connections accepted.");
    this.#closed = counter("tcpkit.connection.closed", "{connection}", "Connections closed, by reason.");
    this.#duration = meter.createHistogram("tcpkit.connection.duration", {
      unit: "s",
      description: "How long connections were open.",
      advice: { explicitBucketBoundaries: DURATIONS },
    });
    this.#dropped = counter(
      "tcpkit.connection.dropped",
      "{connection}",
      "Connections turned away, by reason.",
    );
    this.#io = counter("tcpkit.io", "By", "Bytes received, and bytes given to write.");
    this.#message = counter("tcpkit.message", "{message}", "Messages of the protocol, by type.");
    this.#handling = meter.createHistogram("tcpkit.handler.duration", {
      unit: "s",
      description: "How long handlers took, by the type of the event.",
      advice: { explicitBucketBoundaries: HANDLING },
    });
    this.#clock = clock;
    this.#connections = new OpenConnections(clock);
  }

  observe(observation: Observation): void {
    switch (observation.kind) {
      case "connection":
      case "connect":
        this.#open(observation);
        return;
      case "data": {
        const { conn, dir, bytes } = observation;
        this.#connections.data(observation);
        const attributes = this.#attributes.get(conn);
        // What a client writes before it is connected is counted when it is.
        if (attributes !== undefined) this.#io.add(bytes.length, directed(attributes, dir));
        return;
      }
      case "message": {
        const { conn, dir, type } = observation;
        const attributes = this.#attributes.get(conn);
        if (attributes === undefined) return;
        this.#message.add(1, { ...directed(attributes, dir), "tcpkit.message.type": type });
        return;
      }
      case "close":
        this.#close(observation.conn, observation.reason);
        return;
      case "drop":
        this.#dropped.add(1, {
          "network.protocol.name": observation.service,
          "tcpkit.drop.reason": observation.reason,
        });
        return;
      default:
        return;
    }
  }

  handling(conn: number, type: string): HandlingDone {
    const begun = this.#clock.now();
    // By the end of it the connection may be gone.
    const attributes = this.#attributes.get(conn);
    return (failure) => {
      if (attributes === undefined) return;
      const outcome = failure === undefined ? {} : { "error.type": failure.name };
      this.#handling.record((this.#clock.now() - begun) / 1000, {
        ...attributes,
        "tcpkit.message.type": type,
        ...outcome,
      });
    };
  }

  #open(opening: Opening): void {
    const attributes = attributesOf(opening);
    this.#attributes.set(opening.conn, attributes);
    const written = this.#connections.open(opening);
    if (written > 0) this.#io.add(written, directed(attributes, "out"));
    this.#active.add(1, attributes);
    if (opening.kind === "connection") this.#accepted.add(1, attributes);
  }

  #close(conn: number, reason: string): void {
    const attributes = this.#attributes.get(conn);
    this.#attributes.delete(conn);
    const closed = this.#connections.close(conn);
    if (attributes === undefined || closed === undefined) return;
    this.#active.add(-1, attributes);
    const withReason = { ...attributes, "tcpkit.close.reason": reason };
    this.#closed.add(1, withReason);
    this.#duration.record(closed.duration / 1000, withReason);
  }
}

/** The server is whoever listens: we, or for a client its peer. Never the client's port: it would be a series each. */
function attributesOf({ kind, service, local, remote }: Opening): Attributes {
  const server = kind === "connection" ? local : remote;
  const attributes: Attributes = {
    "network.protocol.name": service,
    "network.transport": server?.kind ?? "tcp",
  };
  if (server?.kind === "tcp") {
    attributes["server.address"] = server.host;
    attributes["server.port"] = server.port;
  } else if (server !== undefined) {
    attributes["server.address"] = server.path;
  }
  return attributes;
}

function directed(attributes: Attributes, dir: Direction): Attributes {
  return { ...attributes, "network.io.direction": dir === "in" ? "receive" : "transmit" };
}
