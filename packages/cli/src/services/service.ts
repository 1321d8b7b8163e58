// What a service of this program is: a name, a way to start it, and what a person can try on it.
import type { EventLog, Listener } from "@tcpkit/core";
import type { ServiceName } from "../commands.ts";
import type { Report } from "../events.ts";
import type { Language, Translate } from "../messages/index.ts";

/** What a service is given when it starts. */
export interface Context {
  readonly host: string;
  /** Sees the wire of every demo server; `undefined` when one runs alone, which is then faster. */
  readonly log: EventLog | undefined;
  readonly report: Report;
  /** Aborts when the program begins to drain. */
  readonly draining: AbortSignal;
  /** What listens by now. */
  readonly running: () => readonly Running[];
  readonly say: Translate;
  readonly language: Language;
  readonly directory: string | undefined;
  readonly data: string | undefined;
}

/** What listens, as far as this program needs it: core's Listener, or what a demo makes of one. */
export type Listening = Pick<Listener, "host" | "port" | "close">;

/** Opens the service on a port. Rejects with core's TcpError when it cannot listen. */
export type Open = (port: number) => Promise<Listening>;

export interface Service {
  readonly name: ServiceName;
  /** The scheme of its URL. */
  readonly scheme: "tcp" | "http" | "smtp";
  /** The path of its URL. */
  readonly path: "" | "/";
  /** A command to try; `undefined` for a page. `authority` is `host:port`. */
  hint(authority: string): string | undefined;
  /** Where it may listen when `host` is asked for. Default: there. */
  hostFor?(host: string): string;
  /** Makes ready what the service needs besides a port. @throws CliError when that is not to be had. */
  prepare(context: Context): Promise<Open>;
}

/** A service that listens. */
export interface Running {
  readonly service: Service;
  readonly listener: Listening;
  /** The default port that was in use, if one was. */
  readonly wanted: number | undefined;
}
