// Connections kept for their next use. It knows leases and the whole pool; how one address is shared, pool-address.ts
// knows, and neither knows what is said on a connection.
import { formatAddress } from "./address.ts";
import { connect, targetOf } from "./client.ts";
import type { ConnectOptions } from "./client.ts";
import type { Connection } from "./connection.ts";
import { Deadline, sharedTimer } from "./deadline.ts";
import type { DeadlineTimer } from "./deadline.ts";
import { TcpError } from "./errors.ts";
import { AddressPool } from "./pool-address.ts";
import { Waiter } from "./pool-waiter.ts";

export interface PoolOptions {
  /** Connections to one address, in use, idle or being made. Default: 8. */
  readonly maxPerAddress?: number | undefined;
  /** How long a connection may lie idle before it is closed, in milliseconds. Default: 30,000. */
  readonly idleTimeout?: number | undefined;
  /** How long `acquire` may take, waiting and connecting together, in milliseconds. Default: 10,000. */
  readonly deadline?: number | undefined;
  /** Makes a connection; heed its `signal` and `deadline`. Default: core's `connect`. */
  readonly connect?: ((options: ConnectOptions) => Promise<Connection>) | undefined;
  /** The timer of deadlines and idle timeouts, for tests with a fake clock. Default: the shared one. */
  readonly timer?: DeadlineTimer | undefined;
}

export interface AcquireOptions extends Pick<ConnectOptions, "host" | "port" | "path"> {
  /** How long it may take, waiting and connecting together, in milliseconds. Default: the pool's. */
  readonly deadline?: number | undefined;
  /** Gives up when it aborts; it does nothing to a connection that was handed out. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A connection that is yours for a while. Before you release it take your listeners off, one by one, since the pool has
 * its own there: the next user gets it as it is. With `using`, a scope that is left before `release()` destroys it, since nobody knows what it was about to say.
 */
export class Lease implements Disposable {
  readonly connection: Connection;
  #giveBack: ((connection: Connection) => void) | undefined;

  /** @internal */
  constructor(connection: Connection, giveBack: (connection: Connection) => void) {
    this.connection = connection;
    this.#giveBack = giveBack;
  }

  /** Gives it back for its next use, or closes it where it has none: either side has ended, or the pool is closed. */
  release(): void {
    this.#giveBack?.(this.connection);
    this.#giveBack = undefined;
  }

  /** Closes it at once, and makes room for another. Does nothing after `release()`. */
  destroy(): void {
    if (this.#giveBack === undefined) return;
    this.#giveBack = undefined;
    this.connection.destroy();
  }

  /** As `destroy()`. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}

/**
 * A small pool of connections by address. The one released last is used first, so that the others can time out; who
 * has waited longest is served first. An idle connection that closes, half-closes or says something unasked is dropped.
 * The peer may still close one in the very moment in which you get it: repeat what is safe to repeat.
 */
export class ConnectionPool implements AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #timer: DeadlineTimer;
  readonly #addresses = new Map<string, AddressPool>();
  readonly #closed = Promise.withResolvers<void>();
  #cut: Deadline | undefined;

  /** @throws TcpError `bad-option`. */
  constructor(options: PoolOptions = {}) {
    const { maxPerAddress = 8 } = options;
    if (!(maxPerAddress >= 1)) {
      throw new TcpError("bad-option", `maxPerAddress must be 1 or more, not ${maxPerAddress}`);
    }
    this.#options = options;
    this.#timer = options.timer ?? sharedTimer;
  }

  /**
   * An idle connection to that address, or a new one, or, where there are as many as may be, the next one released.
   * @throws TcpError as `connect()`; `connect-timeout` also when none came free in time, `closed` when the pool is.
   */
  async acquire(options: AcquireOptions): Promise<Lease> {
    const address = targetOf(options);
    if (this.#cut !== undefined) throw closedError();
    const { signal, deadline = this.#options.deadline ?? 10_000 } = options;
    const waiter = new Waiter(address, deadline, this.#timer, signal);
    const shelf = this.#shelf(formatAddress(address));
    shelf.serve(waiter);
    const connection = await waiter.promise;
    return new Lease(connection, (connection) => shelf.release(connection));
  }

  /**
   * Turns away who waits, closes what is idle, and lets what is leased finish; what is not back after `deadline`
   * milliseconds (default: 5000) is destroyed. Resolves when the last connection is gone.
   */
  close({ deadline = 5000 }: { readonly deadline?: number | undefined } = {}): Promise<void> {
    if (this.#cut !== undefined) return this.#closed.promise;
    this.#cut = new Deadline(this.#timer, () => {
      for (const shelf of this.#addresses.values()) shelf.destroy();
    });
    this.#cut.set(deadline);
    for (const shelf of this.#addresses.values()) shelf.close(closedError());
    this.#finish();
    return this.#closed.promise;
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #shelf(key: string): AddressPool {
    let shelf = this.#addresses.get(key);
    if (shelf === undefined) {
      const { maxPerAddress = 8, idleTimeout = 30_000 } = this.#options;
      shelf = new AddressPool({
        max: maxPerAddress,
        idleTimeout,
        timer: this.#timer,
        connect: this.#options.connect ?? connect,
        onEmpty: () => {
          this.#addresses.delete(key);
          this.#finish();
        },
      });
      this.#addresses.set(key, shelf);
    }
    return shelf;
  }

  #finish(): void {
    if (this.#cut === undefined || this.#addresses.size > 0) return;
    this.#cut[Symbol.dispose]();
    this.#closed.resolve();
  }
}

function closedError(): TcpError {
  return new TcpError("closed", "the pool is closed: acquire() before close()");
}
