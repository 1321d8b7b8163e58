// How long a connection waits for what comes next: one thing at a time. It knows names of waits, not what they are for.
import { Deadline } from "@tcpkit/core";
import type { DeadlineTimer } from "@tcpkit/core";
import type { HttpClientDeadlines } from "../limits.ts";

/** What is awaited: the time for it is short, or bounded. */
export type Awaited = "next request" | "continue" | "head" | "body";

export class Patience implements Disposable {
  readonly #deadlines: HttpClientDeadlines;
  readonly #deadline: Deadline;
  #awaited: Awaited = "next request";

  constructor(timer: DeadlineTimer, deadlines: HttpClientDeadlines, onOver: (awaited: Awaited) => void) {
    this.#deadlines = deadlines;
    this.#deadline = new Deadline(timer, () => onOver(this.#awaited));
  }

  /** From now on, instead of what was awaited before. */
  await(what: Awaited): void {
    this.#awaited = what;
    this.#deadline.set(this.#deadlines[what === "next request" ? "idle" : what]);
  }

  /** Nothing is awaited. */
  clear(): void {
    this.#deadline.clear();
  }

  [Symbol.dispose](): void {
    this.#deadline[Symbol.dispose]();
  }
}
