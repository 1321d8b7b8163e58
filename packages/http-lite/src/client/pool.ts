// The connections to one server, and the requests that wait for one. It knows no HTTP.
//
// Not core's ConnectionPool: that hands out bare connections and takes them back, with a promise and a lease each time.
// Here a connection is driven once and takes its next request in the turn in which it became free.
import { Deadline, TcpError } from "@tcpkit/core";
import type { Connection, DeadlineTimer } from "@tcpkit/core";
import { HttpError } from "../errors.ts";
import { ClientConnection } from "./connection.ts";
import type { ClientConnectionOptions, ConnectionOwner } from "./connection.ts";
import type { Call } from "./call.ts";
import { connectFailure, queueTimeout } from "./failures.ts";
import { check } from "./message.ts";

export interface ClientPoolOptions extends ClientConnectionOptions {
  readonly maxConnections: number;
  readonly maxWaiting: number;
  readonly timer: DeadlineTimer;
  readonly connect: (signal: AbortSignal) => Promise<Connection>;
}

interface Waiting {
  readonly call: Call;
  readonly deadline: Deadline;
}

export class ClientPool implements ConnectionOwner {
  readonly #options: ClientPoolOptions;
  /** Until they have closed. */
  readonly #connections = new Set<ClientConnection>();
  /** Those of them that carry an exchange, or may. */
  readonly #useful = new Set<ClientConnection>();
  /** The one that became free last is at the end: the others may time out. */
  readonly #idle: ClientConnection[] = [];
  /** Who has waited longest is first. */
  readonly #waiting: Waiting[] = [];
  /** For each of these a connection is being made. */
  readonly #connecting = new Set<Call>();
  readonly #closed = Promise.withResolvers<void>();
  #cut: Deadline | undefined;

  constructor(options: ClientPoolOptions) {
    this.#options = options;
  }

  get closing(): boolean {
    return this.#cut !== undefined;
  }

  /** Sends it on an idle connection, a new one, or, where there are as many as may be, the next that is free. */
  serve(call: Call): void {
    const idle = this.#takeIdle();
    if (idle !== undefined) {
      idle.run(call);
      return;
    }
    try {
      // Without a connection that would refuse it, what is wrong is found before one is made in vain.
      check(call.message);
    } catch (error) {
      call.fail(error);
      return;
    }
    if (this.#hasRoom) void this.#connectFor(call);
    else this.#wait(call);
  }

  get #hasRoom(): boolean {
    return this.#useful.size + this.#connecting.size < this.#options.maxConnections;
  }

  #takeIdle(): ClientConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.usable) return idle;
    }
    return undefined;
  }

  #wait(call: Call): void {
    const { maxWaiting, deadlines, timer } = this.#options;
    if (this.#waiting.length >= maxWaiting) {
      call.fail(
        new HttpError("pool-full", `${maxWaiting} requests wait already for a connection`, { status: 503 }),
      );
      return;
    }
    const deadline = new Deadline(timer, () => call.fail(queueTimeout(deadlines)));
    deadline.set(deadlines.queue);
    const waiting = { call, deadline };
    this.#waiting.push(waiting);
    call.onGivenUp = () => {
      deadline[Symbol.dispose]();
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      this.#finish();
    };
  }

  onFree(connection: ClientConnection): void {
    if (!connection.usable) {
      this.onSpent(connection);
      return;
    }
    const next = this.#takeWaiting();
    if (next !== undefined) {
      connection.run(next);
    } else if (this.closing) {
      connection.close();
    } else {
      this.#idle.push(connection);
      connection.rest();
    }
  }

  onSpent(connection: ClientConnection, repeat?: Call): void {
    this.#useful.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    if (repeat !== undefined) {
      repeat.repeated = true;
      void this.#connectFor(repeat);
    }
    this.#settle();
  }

  onClosed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.#finish();
  }

  /** Closes what is idle, and lets the others finish, those that wait too; after `deadline` milliseconds they fail. */
  close(deadline: number): Promise<void> {
    if (this.#cut === undefined) {
      this.#cut = new Deadline(this.#options.timer, () => this.#destroy());
      this.#cut.set(deadline);
      for (const idle of this.#idle.splice(0)) idle.close();
      this.#finish();
    }
    return this.#closed.promise;
  }

  async #connectFor(call: Call): Promise<void> {
    const stop = new AbortController();
    call.onGivenUp = () => stop.abort();
    this.#connecting.add(call);
    try {
      const made = await this.#options.connect(stop.signal);
      if (made.closed)
        throw new TcpError("closed", "the connection closed before its first use", { blame: "remote" });
      this.#connecting.delete(call);
      const connection = new ClientConnection(made, this, this.#options);
      this.#connections.add(connection);
      this.#useful.add(connection);
      if (call.done) this.onFree(connection);
      else connection.run(call);
    } catch (error) {
      this.#connecting.delete(call);
      call.onGivenUp = undefined;
      call.fail(connectFailure(error));
      this.#settle();
      this.#finish();
    }
  }

  /** Makes connections for those who wait, as long as more may be made. */
  #settle(): void {
    while (this.#hasRoom) {
      const next = this.#takeWaiting();
      if (next === undefined) return;
      void this.#connectFor(next);
    }
  }

  #takeWaiting(): Call | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    next.deadline[Symbol.dispose]();
    next.call.onGivenUp = undefined;
    return next.call;
  }

  #destroy(): void {
    const error = new HttpError("aborted", "the client was closed before the reply was complete", {
      blame: "local",
    });
    const unsent = [...this.#waiting.map(({ call }) => call), ...this.#connecting];
    for (const call of unsent) call.fail(error);
    for (const connection of this.#connections) connection.destroy(error);
  }

  #finish(): void {
    if (this.#cut === undefined) return;
    if (this.#connections.size + this.#connecting.size + this.#waiting.length > 0) return;
    this.#cut[Symbol.dispose]();
    this.#closed.resolve();
  }
}
