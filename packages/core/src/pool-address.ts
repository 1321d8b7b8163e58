// The connections of a pool to one address: who waits, what is being made, what is idle. It knows nothing of other
// addresses.
import type { ConnectOptions } from "./client.ts";
import type { Connection } from "./connection.ts";
import { Deadline } from "./deadline.ts";
import type { DeadlineTimer } from "./deadline.ts";
import { TcpError } from "./errors.ts";
import type { Waiter } from "./pool-waiter.ts";

export interface AddressPoolOptions {
  readonly max: number;
  readonly idleTimeout: number;
  readonly timer: DeadlineTimer;
  readonly connect: (options: ConnectOptions) => Promise<Connection>;
  /** There is nothing left here: no connection, and nobody who waits. */
  readonly onEmpty: () => void;
}

export class AddressPool {
  readonly #options: AddressPoolOptions;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiter>();
  /** A connection is being made for each of these. */
  readonly #connecting = new Set<Waiter>();
  /** Idle or leased. */
  readonly #connections = new Set<Connection>();
  /** The one released last is at the end. */
  readonly #idle: Idle[] = [];
  #closing = false;

  constructor(options: AddressPoolOptions) {
    this.#options = options;
  }

  serve(waiter: Waiter): void {
    if (!waiter.gaveUp.aborted) {
      this.#waiting.add(waiter);
      waiter.gaveUp.addEventListener("abort", () => {
        this.#waiting.delete(waiter);
        this.#settle();
      });
    }
    this.#settle();
  }

  release(connection: Connection): void {
    if (this.#closing || !healthy(connection)) return connection.close();
    this.#idle.push(new Idle(connection, this.#options.timer, this.#options.idleTimeout));
    this.#settle();
  }

  /** Turns away who waits, and closes what is idle; the leased ones are closed when they are released. */
  close(error: TcpError): void {
    this.#closing = true;
    for (const waiter of [...this.#waiting, ...this.#connecting]) waiter.giveUp(error);
    for (let idle = this.#takeIdle(); idle !== undefined; idle = this.#takeIdle()) {
      idle.destroy({ kind: "local" });
    }
  }

  destroy(): void {
    const cause = new Error("not released before the pool's deadline");
    for (const connection of this.#connections) connection.destroy({ kind: "aborted", cause });
  }

  /** Gives out what there is, first come first served, and makes what may be made. */
  #settle(): void {
    for (const waiter of this.#waiting) {
      const idle = this.#takeIdle();
      if (idle === undefined && this.#connecting.size + this.#connections.size >= this.#options.max) break;
      this.#waiting.delete(waiter);
      if (idle === undefined) void this.#connectFor(waiter);
      else waiter.resolve(idle);
    }
    if (this.#connections.size + this.#connecting.size + this.#waiting.size === 0) this.#options.onEmpty();
  }

  async #connectFor(waiter: Waiter): Promise<void> {
    this.#connecting.add(waiter);
    const { address, patience: deadline, gaveUp: signal } = waiter;
    const target = address.kind === "tcp" ? { host: address.host, port: address.port } : address;
    try {
      const connection = await this.#options.connect({ ...target, deadline, signal });
      if (connection.closed) throw new TcpError("closed", "the connection closed before its first use");
      this.#connecting.delete(waiter);
      this.#connections.add(connection);
      connection.once("close", () => this.#forget(connection));
      if (!waiter.resolve(connection)) this.release(connection);
    } catch (error) {
      this.#connecting.delete(waiter);
      waiter.reject(error);
      this.#settle();
    }
  }

  #takeIdle(): Connection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      idle.wake();
      if (healthy(idle.connection)) return idle.connection;
    }
    return undefined;
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    const index = this.#idle.findIndex((idle) => idle.connection === connection);
    if (index !== -1) this.#idle.splice(index, 1)[0]?.wake();
    this.#settle();
  }
}

/** A connection that nobody uses. Whatever happens on it now makes it useless. */
class Idle {
  readonly connection: Connection;
  readonly #deadline: Deadline;

  constructor(connection: Connection, timer: DeadlineTimer, timeout: number) {
    this.connection = connection;
    this.#deadline = new Deadline(timer, () => connection.destroy({ kind: "local" }));
    this.#deadline.set(timeout);
    connection.on("data", this.#onData);
    connection.on("end", this.#onEnd);
    connection.resume();
  }

  /** It is in use again, or gone. */
  wake(): void {
    this.#deadline[Symbol.dispose]();
    this.connection.off("data", this.#onData);
    this.connection.off("end", this.#onEnd);
  }

  readonly #onData = (): void => {
    // The answer to a question that was given up, say: whoever came next would take it for the answer to its own.
    const cause = new Error("bytes came while the connection was idle in a pool");
    this.connection.destroy({ kind: "protocol", cause });
  };

  readonly #onEnd = (): void => this.connection.destroy();
}

/** Neither side has ended it. */
function healthy(connection: Connection): boolean {
  return connection.writable && connection.readable && connection.closeReason === undefined;
}
