// Keeps one connection to a peer alive. It knows when to connect again; how, client.ts knows, and what is said on the
// connection its users know.
import { EventEmitter } from "node:events";
import { Backoff } from "./backoff.ts";
import type { BackoffOptions } from "./backoff.ts";
import { connect, targetOf } from "./client.ts";
import type { ConnectOptions } from "./client.ts";
import { after, systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import type { CloseReason } from "./close-reason.ts";
import { Connection } from "./connection.ts";
import { assertNever, TcpError } from "./errors.ts";
import { openingOf } from "./opening.ts";

export interface ReconnectOptions extends ConnectOptions {
  /** How long to wait between tries. Default: between 0 and 100 ms at first, in the end between 0 and 30 s. */
  readonly backoff?: BackoffOptions | undefined;
  /** A connection that lived this long, in milliseconds, makes the delays begin anew. Default: 10,000. */
  readonly resetAfter?: number | undefined;
}

/** Why there is no connection. */
export type WaitingCause =
  | { readonly type: "connect-failed"; readonly error: TcpError }
  | { readonly type: "closed"; readonly reason: CloseReason };

export interface Waiting {
  /** How long until the next try, in milliseconds. */
  readonly delay: number;
  readonly cause: WaitingCause;
}

export interface ReconnectEvents {
  /** Connected, for the first time or again: here you add your listeners, or `drive` it. */
  connect: [connection: Connection];
  /** There is no connection, and the next try comes later. */
  waiting: [waiting: Waiting];
  /** `close()` was called or the signal aborted, and the last connection is gone. Nothing comes after it. */
  stopped: [];
}

type State =
  | { readonly type: "connecting"; readonly stop: AbortController }
  | { readonly type: "connected"; readonly connection: Connection; readonly since: number }
  | { readonly type: "waiting"; readonly cancel: () => void }
  | { readonly type: "stopped" };

/**
 * Connects, and connects again whenever the connection closes, whoever closed it, until `close()` or the signal. A
 * `connect` listener that throws or rejects ends its connection only. While it waits the process stays alive.
 */
export class Reconnector extends EventEmitter<ReconnectEvents> implements AsyncDisposable {
  readonly #options: ReconnectOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #stopped = Promise.withResolvers<void>();
  #state: State;
  #stopping = false;

  /** @throws TcpError `bad-option`. */
  constructor(options: ReconnectOptions) {
    super({ captureRejections: true });
    openingOf(options, targetOf(options)); // a mistake in the options is not worth a second try
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = new Backoff(options.backoff);
    this.#state = this.#connect();
    if (options.signal?.aborted === true) this.#onAbort();
    else options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** The connection, while there is one. */
  get connection(): Connection | undefined {
    return this.#state.type === "connected" ? this.#state.connection : undefined;
  }

  /** Connects no more, closes the connection in good order, and resolves when it is gone. */
  close(): Promise<void> {
    this.#stop((connection) => connection.close());
    return this.#stopped.promise;
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal A promise that a listener returned was rejected. */
  [Symbol.for("nodejs.rejection")](error: unknown, _event: string, subject?: unknown): void {
    this.#onListenerFailed(error, subject);
  }

  #connect(): State {
    const stop = new AbortController();
    connect({ ...this.#options, signal: stop.signal }).then(
      (connection) => this.#onConnected(connection),
      (error: TcpError) => this.#onLost({ type: "connect-failed", error }),
    );
    return { type: "connecting", stop };
  }

  #onConnected(connection: Connection): void {
    this.#state = { type: "connected", connection, since: this.#clock.now() };
    connection.once("close", (reason) => this.#onClosed(reason));
    if (this.#stopping) connection.destroy();
    else this.#emit("connect", connection);
  }

  #onClosed(reason: CloseReason): void {
    const { resetAfter = 10_000 } = this.#options;
    const lived = this.#state.type === "connected" ? this.#clock.now() - this.#state.since : 0;
    if (lived >= resetAfter) this.#backoff.reset();
    this.#onLost({ type: "closed", reason });
  }

  #onLost(cause: WaitingCause): void {
    if (this.#stopping) return this.#finish();
    const delay = this.#backoff.next();
    const cancel = after(this.#clock, delay, () => {
      this.#state = this.#connect();
    });
    this.#state = { type: "waiting", cancel };
    this.#emit("waiting", { delay, cause });
  }

  readonly #onAbort = (): void => {
    this.#stop((connection) => connection.destroy({ kind: "aborted" }));
  };

  #stop(closeConnection: (connection: Connection) => void): void {
    this.#stopping = true;
    switch (this.#state.type) {
      case "connecting":
        return this.#state.stop.abort();
      case "connected":
        return closeConnection(this.#state.connection);
      case "waiting":
        this.#state.cancel();
        return this.#finish();
      case "stopped":
        return;
      default:
        assertNever(this.#state);
    }
  }

  #finish(): void {
    this.#state = { type: "stopped" };
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#emit("stopped");
    this.#stopped.resolve();
  }

  #emit<Name extends keyof ReconnectEvents>(name: Name, ...args: ReconnectEvents[Name]): void {
    try {
      // The generic name keeps TypeScript from seeing that the arguments fit it.
      (this.emit as (name: string, ...args: unknown[]) => boolean).call(this, name, ...args);
    } catch (error) {
      this.#onListenerFailed(error, args[0]);
    }
  }

  #onListenerFailed(error: unknown, subject: unknown): void {
    if (subject instanceof Connection) subject.fail(error);
    else process.emitWarning(error instanceof Error ? error : String(error));
  }
}

/**
 * Keeps a connection to a peer alive: listen to `connect`, `waiting` and `stopped`.
 * @throws TcpError `bad-option`.
 */
export function reconnect(options: ReconnectOptions): Reconnector {
  return new Reconnector(options);
}
