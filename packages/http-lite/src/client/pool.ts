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
import { connectFailure } from "./failures.ts";
import { check } from "./message.ts";

export interface ClientPoolOptions extends ClientConnectionOptions {
  readonly maxConnections: number;
  readonly maxWaiting: number;
  readonly timer: DeadlineTimer;
  readonly connect: (signal: AbortSignal) => Promise<Connection>;
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
  readonly #waiting: Call[] = [];
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

  /**
   * Sends it on an idle connection, a new one, or, where there are as many as may be, behind others, if it can stand there and
   * nobody has waited longer; otherwise on the next that is free.
   */
  serve(call: Call): void {
    const idle = this.#takeIdle();
    if (idle !== undefined) {
      if (!idle.run(call)) this.onFree(idle);
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
    else if (this.#waiting.length > 0 || !this.#pipeline(call)) this.#wait(call);
  }

  /** Sends it behind other requests, where these are fewest. */
  #pipeline(call: Call): boolean {
    if (!call.pipelines || this.#options.pipelining === 1) return false;
    let best: ClientConnection | undefined;
    for (const connection of this.#useful) {
      if (connection.takes(call) && (best === undefined || connection.pending < best.pending))
        best = connection;
    }
    best?.run(call);
    return best !== undefined;
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
    const { maxWaiting } = this.#options;
    if (this.#waiting.length >= maxWaiting) {
      call.fail(
        new HttpError("pool-full", `${maxWaiting} requests wait already for a connection`, { status: 503 }),
      );
      return;
    }
    this.#hold(call, this.#waiting.length);
  }

  /** Has it wait in this place. */
  #hold(call: Call, place: number): void {
    const { deadlines, timer } = this.#options;
    call.onGivenUp = () => {
      this.#waiting.splice(this.#waiting.indexOf(call), 1);
      this.#finish();
    };
    this.#waiting.splice(place, 0, call);
    call.wait(timer, deadlines);
  }

  onFree(connection: ClientConnection): void {
    if (!connection.usable) {
      this.onSpent(connection);
      return;
    }
    // Who has waited longest is next, though others behind it could go at once.
    for (let next = this.#takeWaiting(connection); next !== undefined; next = this.#takeWaiting(connection)) {
      connection.run(next);
    }
    if (connection.pending > 0) return;
    if (this.closing) {
      connection.close();
    } else {
      this.#idle.push(connection);
      connection.rest();
    }
  }

  onSpent(connection: ClientConnection, repeats: readonly Call[] = []): void {
    this.#useful.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    for (const call of repeats) call.repeated = true;
    this.#repeat(repeats);
    this.#settle();
  }

  /** They were sent before those who wait, and go before them: on new connections, as far as more may be made. */
  #repeat(calls: readonly Call[]): void {
    let held = 0;
    for (const call of calls) {
      if (this.#hasRoom) void this.#connectFor(call);
      else if (this.#takeIdle()?.run(call) !== true) this.#hold(call, held++);
    }
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
    call.proceed();
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
      if (call.done || !connection.run(call)) this.onFree(connection);
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

  /** Who has waited longest; for a connection that takes no such request nobody. */
  #takeWaiting(connection?: ClientConnection): Call | undefined {
    const [next] = this.#waiting;
    if (next === undefined || connection?.takes(next) === false) return undefined;
    this.#waiting.shift();
    next.onGivenUp = undefined;
    return next;
  }

  #destroy(): void {
    const error = new HttpError("aborted", "the client was closed before the reply was complete", {
      blame: "local",
    });
    const unsent = [...this.#waiting, ...this.#connecting];
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
