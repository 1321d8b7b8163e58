// What happens after the ready line, as data: one NDJSON line each with `--json`, one sentence each without.
import type { ServiceName } from "./commands.ts";

/** A mail was taken. */
export interface MessageEvent {
  readonly event: "message";
  readonly service: "smtp";
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Empty for the null sender. */
  readonly from: string;
  readonly to: readonly string[];
  /** In bytes, as received. */
  readonly size: number;
  readonly subject: string;
  /** Where it is kept, with `--data`. */
  readonly file?: string;
}

export type Event =
  | MessageEvent
  /** A default port was in use. */
  | {
      readonly event: "port-busy";
      readonly service: ServiceName;
      readonly wanted: number;
      readonly port: number;
    }
  /** A demo server could not do its part; its client was told so. */
  | { readonly event: "failed"; readonly service: ServiceName; readonly reason: string }
  /** The first signal came, with `--lame-duck`: for so many `seconds` all goes on, while health checks fail. */
  | { readonly event: "lame-duck"; readonly signal: string; readonly seconds: number }
  /** No new connections any more. `grace` is in seconds. */
  | { readonly event: "draining"; readonly signal: string; readonly grace: number }
  /** Everything is closed: connections that ended in good order, and those that were cut. */
  | { readonly event: "drained"; readonly drained: number; readonly cut: number }
  /** Lines that were dropped because nobody read standard output in time. */
  | { readonly event: "dropped"; readonly lines: number };

export type Report = (event: Event) => void;
