// The primary's side: keeps so many workers, replaces those that die, and ends them all in good order. It accepts
// nothing itself and knows no connection.
import { EventEmitter } from "node:events";
import type { Address } from "../address.ts";
import type { DrainOptions, DrainResult } from "../drain.ts";
import { TcpError } from "../errors.ts";
import { formatExit, Member } from "./member.ts";
import type { Exit } from "./member.ts";
import { Restarts } from "./restarts.ts";
import type { RestartOptions } from "./restarts.ts";

/** A worker that died unasked. */
export interface WorkerDeath extends Exit {
  readonly pid: number;
  /** In how many milliseconds another takes its place; `undefined` when none will. */
  readonly restartIn: number | undefined;
}

export interface ClusterEvents {
  /** A worker listens: one of the first, or one that takes another's place. */
  worker: [pid: number];
  /** A worker died unasked. */
  death: [death: WorkerDeath];
}

export interface ClusterOptions {
  /** How many processes serve. Default: `os.availableParallelism()`, one for each core. */
  readonly workers?: number | undefined;
  /** How long connections may take to end: after a signal, the primary's death or where no other is given. Default: 5000 ms. */
  readonly deadline?: number | undefined;
  /** The signals that drain the cluster; a second one cuts what is left. Default: `["SIGTERM", "SIGINT"]`. */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
  /** When workers that die are started again, and when the cluster gives up. */
  readonly restarts?: RestartOptions | undefined;
}

/** Several processes that serve one port or Unix socket. Made by `serveCluster`. */
export class Cluster extends EventEmitter<ClusterEvents> implements AsyncDisposable {
  /**
   * Resolves when the last worker has ended, after `close()` or a signal, with the sums over all workers.
   * @throws TcpError `worker-failed` when workers died early again and again; the others were drained before. Where
   * nobody waits for it, that ends the process, as every unhandled rejection does.
   */
  readonly closed: Promise<DrainResult>;
  readonly #closed = Promise.withResolvers<DrainResult>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #count: number;
  readonly #options: ClusterOptions;
  readonly #restarts: Restarts;
  readonly #members = new Set<Member>();
  readonly #listening = new Set<Member>();
  /** Listened for long enough to count as healthy. */
  readonly #steady = new WeakSet<Member>();
  /** Restarts that are due. */
  readonly #pending = new Set<NodeJS.Timeout>();
  #address: Address | undefined;
  #isReady = false;
  #closing = false;
  #rolling: Promise<void> | undefined;

  /** @internal */
  constructor(count: number, options: ClusterOptions) {
    super();
    this.closed = this.#closed.promise;
    this.#count = count;
    this.#options = options;
    this.#restarts = new Restarts(options.restarts);
  }

  /** Where the workers listen. */
  get address(): Address {
    if (this.#address === undefined) throw new TcpError("not-listening", "no worker listens yet");
    return this.#address;
  }

  /** The process ids of the workers that listen and are to stay, the oldest first. */
  get workers(): number[] {
    return [...this.#listening].filter((member) => !member.draining).map((member) => member.pid);
  }

  /** @internal Starts all workers and resolves when they listen. */
  async open(): Promise<this> {
    for (const signal of this.#signals) process.on(signal, this.#onSignal);
    // The first alone, the others once it listens: what is wrong is then said once, and the file that a dead server has
    // left at a Unix socket's path is never taken away by two at once.
    this.#spawn();
    await this.#ready.promise;
    return this;
  }

  /**
   * Replaces every worker, one at a time: the new one listens before the old one drains, up to the deadline (by
   * default the cluster's). Ends early, without an error, when the cluster closes.
   * @throws TcpError what the new worker failed with; the workers not yet replaced go on as they were.
   */
  restart(options: DrainOptions = {}): Promise<void> {
    this.#rolling ??= this.#roll(options).finally(() => {
      this.#rolling = undefined;
    });
    return this.#rolling;
  }

  /**
   * Drains all workers at once, each up to the deadline (by default the cluster's), and resolves when they have ended, with
   * the sums of their connections. A worker that has not ended 5 s after the deadline is killed, and not counted.
   * @throws TcpError as `closed`.
   */
  close(options: DrainOptions = {}): Promise<DrainResult> {
    if (!this.#closing) void this.#end(options);
    return this.closed;
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #signals(): readonly NodeJS.Signals[] {
    return this.#options.signals ?? ["SIGTERM", "SIGINT"];
  }

  #spawn(): Member {
    const member = new Member();
    this.#members.add(member);
    member.listening.then(
      (address) => this.#onListening(member, address),
      () => {},
    );
    void member.exited.then((exit) => this.#onExit(member, exit));
    return member;
  }

  #onListening(member: Member, address: Address): void {
    this.#address = address;
    this.#listening.add(member);
    const timer = setTimeout(() => {
      this.#steady.add(member);
      this.#restarts.steady();
    }, this.#restarts.steadyAfter).unref();
    void member.exited.then(() => clearTimeout(timer));
    while (this.#missing > 0) this.#spawn();
    if (this.#listening.size >= this.#count) {
      this.#isReady = true;
      this.#ready.resolve();
    }
    this.emit("worker", member.pid);
  }

  #onExit(member: Member, exit: Exit): void {
    this.#members.delete(member);
    this.#listening.delete(member);
    if (member.draining) return;
    // What fails before anything has ever worked, a port in use for instance, is not cured by trying again.
    const hopeless = this.#isReady ? undefined : member.failure;
    const restartIn = hopeless === undefined ? this.#restartIn(member) : undefined;
    this.emit("death", { ...exit, pid: member.pid, restartIn });
    if (restartIn !== undefined) this.#spawnLater(restartIn);
    else if (this.#missing > 0) {
      void this.#end({}, hopeless ?? tooManyDeaths(member, exit));
    }
  }

  /** Workers that should be there and are not. None are missing when a rolling restart's new one dies. */
  get #missing(): number {
    const staying = [...this.#members].filter((member) => !member.draining).length;
    return this.#closing ? 0 : this.#count - staying - this.#pending.size;
  }

  #restartIn(member: Member): number | undefined {
    if (this.#missing <= 0) return undefined;
    return this.#restarts.after(this.#steady.has(member) ? "late" : "early");
  }

  #spawnLater(milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      this.#spawn();
    }, milliseconds);
    this.#pending.add(timer);
  }

  async #roll({ deadline = this.#options.deadline, signal }: DrainOptions): Promise<void> {
    // Those that come while this goes on are new already.
    const before = [...this.#members];
    for (const old of before) {
      if (this.#closing) return;
      if (old.draining || !this.#members.has(old)) continue;
      try {
        await this.#spawn().listening;
      } catch (error) {
        if (this.#closing) return;
        throw error;
      }
      if (!this.#closing) await old.drain({ deadline, signal });
    }
  }

  /** Ends every worker; `error` is why, when nobody asked for it. */
  async #end({ deadline = this.#options.deadline, signal }: DrainOptions, error?: TcpError): Promise<void> {
    this.#closing = true;
    for (const timer of this.#pending) clearTimeout(timer);
    const results = await Promise.all([...this.#members].map((member) => member.drain({ deadline, signal })));
    for (const signal of this.#signals) process.off(signal, this.#onSignal);
    if (!this.#isReady) {
      // Nobody has the cluster yet: serveCluster rejects instead.
      this.closed.catch(() => {});
      this.#ready.reject(error ?? new TcpError("aborted", "the cluster was closed before it listened"));
    }
    if (error === undefined) this.#closed.resolve(sumOf(results));
    else this.#closed.reject(error);
  }

  readonly #onSignal = (): void => {
    if (this.#closing) for (const member of this.#members) member.cut();
    else void this.close();
  };
}

function tooManyDeaths(member: Member, exit: Exit): TcpError {
  const why = member.failure?.message ?? formatExit(exit);
  return new TcpError("worker-failed", `workers die early again and again, the last by: ${why}`, {
    cause: member.failure,
  });
}

function sumOf(results: readonly DrainResult[]): DrainResult {
  const total = { drained: 0, cut: 0 };
  for (const { drained, cut } of results) {
    total.drained += drained;
    total.cut += cut;
  }
  return total;
}
