// Somebody who wants a connection, and for how long. It knows time; it knows no connections but the one it gets.
import type { Address } from "./address.ts";
import { formatAddress } from "./address.ts";
import type { Connection } from "./connection.ts";
import { Deadline } from "./deadline.ts";
import type { DeadlineTimer } from "./deadline.ts";
import { TcpError } from "./errors.ts";

/** It settles once, and lets go of its deadline and signal then; until then either may end the wait. */
export class Waiter {
  readonly address: Address;
  /** How long it waits in all, in milliseconds. */
  readonly patience: number;
  readonly promise: Promise<Connection>;
  /** Aborts when it gives up, and never after it has its connection. */
  readonly gaveUp: AbortSignal;
  readonly #result = Promise.withResolvers<Connection>();
  readonly #stop = new AbortController();
  readonly #deadline: Deadline;
  readonly #signal: AbortSignal | undefined;
  #settled = false;

  constructor(address: Address, patience: number, timer: DeadlineTimer, signal: AbortSignal | undefined) {
    this.address = address;
    this.patience = patience;
    this.promise = this.#result.promise;
    this.gaveUp = this.#stop.signal;
    this.#signal = signal;
    this.#deadline = new Deadline(timer, () => this.giveUp(this.#timeoutError()));
    this.#deadline.set(patience);
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort);
  }

  /** Hands the connection over; `false` when nobody wants it any more. */
  resolve(connection: Connection): boolean {
    if (this.#settled) return false;
    this.#settle();
    this.#result.resolve(connection);
    return true;
  }

  reject(error: unknown): void {
    if (this.#settled) return;
    this.#settle();
    this.#result.reject(error);
  }

  giveUp(error: TcpError): void {
    if (this.#settled) return;
    this.reject(error);
    this.#stop.abort();
  }

  readonly #onAbort = (): void => {
    this.giveUp(new TcpError("aborted", "acquiring was aborted", { cause: this.#signal?.reason }));
  };

  #settle(): void {
    this.#settled = true;
    this.#deadline[Symbol.dispose]();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  #timeoutError(): TcpError {
    const where = formatAddress(this.address);
    return new TcpError("connect-timeout", `no free connection to ${where} within ${this.patience} ms`);
  }
}
