// The event log's record: the one shape that everything which sees the wire shares.
import type { Address } from "../address.ts";
import type { DropReason } from "../admission.ts";
import type { Description, Span } from "../protocol.ts";

/** Whose bytes or messages: `in` from the peer, `out` from us. */
export type Direction = "in" | "out";

/** What is observed, before the log gives it its number and time. `conn` counts the connections of a process. */
export type Observation =
  | { readonly kind: "listening"; readonly service: string; readonly local: Address }
  /** A listener was closed: it accepts nobody any more, and its open connections, so many, are asked to end. */
  | {
      readonly kind: "draining";
      readonly service: string;
      readonly local: Address;
      readonly connections: number;
    }
  /** Its last connection is gone. Of those that were open, so many ended in good order, and so many were cut. */
  | {
      readonly kind: "drained";
      readonly service: string;
      readonly local: Address;
      readonly drained: number;
      readonly cut: number;
    }
  | {
      readonly kind: "connection" | "connect";
      readonly conn: number;
      readonly service: string;
      readonly local?: Address | undefined;
      readonly remote?: Address | undefined;
      /** Where the TCP connection itself comes from, behind a proxy whose PROXY header gave `remote`. */
      readonly peer?: Address | undefined;
    }
  /** A TLS handshake is done: before an accepted connection was made known, or in place. The rest as in `TlsDetails`. */
  | {
      readonly kind: "secure";
      readonly conn: number;
      readonly protocol: string;
      readonly cipher: string;
      readonly alpn: string | undefined;
      readonly servername: string | undefined;
    }
  | {
      readonly kind: "data";
      readonly conn: number;
      readonly dir: Direction;
      /** Absolute offsets of the chunk in its direction's byte stream. */
      readonly span: Span;
      /** Valid only during the call: copy what you keep. */
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "end"; readonly conn: number; readonly dir: Direction }
  | { readonly kind: "drain" | "timeout" | "pause" | "resume"; readonly conn: number }
  | { readonly kind: "error"; readonly conn?: number; readonly code: string; readonly message: string }
  | { readonly kind: "close"; readonly conn: number; readonly reason: string; readonly cause?: string }
  | {
      readonly kind: "drop";
      readonly service: string;
      readonly remote?: Address | undefined;
      readonly reason: DropReason;
      /** What was wrong with a PROXY header or a TLS handshake. */
      readonly cause?: string;
    }
  | ({
      readonly kind: "message";
      readonly conn: number;
      readonly dir: Direction;
      /** Absolute offsets of the whole message in its direction's byte stream. */
      readonly span: Span;
    } & Description)
  | {
      readonly kind: "state";
      readonly conn: number;
      readonly from: string;
      readonly to: string;
      /** The type of the event or reply that caused it. */
      readonly why: string;
    };

/** One record of the event log: `seq` counts from 1, `t` is monotonic time in nanoseconds. */
export type EventRecord = { readonly seq: number; readonly t: number } & Observation;

/** Sees everything. Where there is none, nothing is made for it. */
export interface Tap {
  observe(observation: Observation): void;
  /** False: it can do without messages and states, and none are described for its sake. Default: true. */
  readonly messages?: boolean | undefined;
  /**
   * Optional, to measure handlers: one begins with an event of this type. The driver calls the returned function when the
   * handler, and the promise that it returned, is done; with what it threw, if it failed.
   */
  handling?(conn: number, type: string): HandlingDone;
}

/** A handler is done with an event. It failed unless `failure` is `undefined`. */
export type HandlingDone = (failure?: Error) => void;
