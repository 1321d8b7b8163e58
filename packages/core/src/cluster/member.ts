// One worker as the primary sees it: it comes to listen, or fails; it drains; it is gone. It decides nothing.
import cluster from "node:cluster";
import type { Worker } from "node:cluster";
import type { Address } from "../address.ts";
import type { DrainOptions, DrainResult } from "../drain.ts";
import { assertNever, TcpError } from "../errors.ts";
import { isReport } from "./messages.ts";
import type { Order } from "./messages.ts";

/** How a worker's process ended. */
export interface Exit {
  /** The exit code; `null` when a signal ended it, or it never came to be. */
  readonly code: number | null;
  /** The signal that ended it, if one did. */
  readonly signal: string | null;
}

/** How long after its deadline a draining worker may take to end before it is killed, in milliseconds. */
const OVERTIME = 5000;
/** Node's timers know no longer time than 2^31 - 1 milliseconds; they take a longer one for none at all. */
const LONGEST_DEADLINE: number = 2 ** 31 - 1 - OVERTIME;

/** A worker process, from its start to its end. */
export class Member {
  /** Resolves when it listens. @throws TcpError what its `start` failed with, or `worker-failed` when it just died. */
  readonly listening: Promise<Address>;
  /** Resolves when its process has ended. */
  readonly exited: Promise<Exit>;
  /** Its end was asked for. */
  draining = false;
  /** What its `start` rejected with. */
  failure: TcpError | undefined;
  readonly #worker: Worker;
  readonly #listening = Promise.withResolvers<Address>();
  readonly #exited = Promise.withResolvers<Exit>();
  #result: DrainResult = { drained: 0, cut: 0 };

  constructor() {
    this.#worker = cluster.fork();
    this.listening = this.#listening.promise;
    this.exited = this.#exited.promise;
    // Not everybody waits for it; its exit says the same.
    this.listening.catch(() => {});
    this.#worker.on("message", (message: unknown) => this.#onMessage(message));
    this.#worker.on("exit", (code: number | null, signal: string | null) => this.#onExit({ code, signal }));
    // No process, so no exit either; any other error is of the channel, and its process's exit follows.
    this.#worker.on("error", () => {
      if (this.#worker.process.pid === undefined) this.#onExit({ code: null, signal: null });
    });
  }

  /** The process id; 0 when the system had no room for another process. */
  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  /** Lets it end in good order, kills it when it does not answer, and resolves when it is gone. */
  async drain({ deadline = 5000, signal }: DrainOptions): Promise<DrainResult> {
    this.draining = true;
    this.#order(deadline);
    const cut = (): void => this.cut();
    if (signal?.aborted === true) cut();
    else signal?.addEventListener("abort", cut, { once: true });
    await this.exited;
    signal?.removeEventListener("abort", cut);
    return this.#result;
  }

  /** Waits for its connections no longer. */
  cut(): void {
    this.#order(0);
  }

  #order(wanted: number): void {
    const deadline = Math.min(wanted, LONGEST_DEADLINE);
    const order: Order = { type: "tcpkit:drain", deadline };
    // A worker that is gone takes no orders; its exit says the rest.
    this.#worker.send(order, () => {});
    setTimeout(() => this.#worker.process.kill("SIGKILL"), deadline + OVERTIME).unref();
  }

  #onMessage(message: unknown): void {
    if (!isReport(message)) return;
    switch (message.type) {
      case "tcpkit:listening":
        this.#listening.resolve(message.address);
        return;
      case "tcpkit:failed":
        this.failure = new TcpError(message.code ?? "worker-failed", message.message);
        this.#listening.reject(this.failure);
        return;
      case "tcpkit:drained":
        this.#result = { drained: message.drained, cut: message.cut };
        return;
      default:
        assertNever(message);
    }
  }

  #onExit(exit: Exit): void {
    this.#listening.reject(
      new TcpError("worker-failed", `worker ${this.pid} ended before it listened: ${formatExit(exit)}`),
    );
    this.#exited.resolve(exit);
  }
}

/** `signal SIGKILL`, or `exit code 1`. */
export function formatExit({ code, signal }: Exit): string {
  if (signal !== null) return `signal ${signal}`;
  return code === null ? "its process could not be made" : `exit code ${code}`;
}
