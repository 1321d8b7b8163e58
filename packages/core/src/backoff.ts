// How long to wait before the next try. It knows numbers; it knows no clock and no connection.
import { TcpError } from "./errors.ts";

export interface BackoffOptions {
  /** The bound of the first delay, in milliseconds. Default: 100. */
  readonly min?: number | undefined;
  /** The bound of all delays, in milliseconds. Default: 30,000. */
  readonly max?: number | undefined;
  /** By how much the bound grows with every delay. Default: 2. */
  readonly factor?: number | undefined;
  /** Gives numbers from 0 up to but not including 1; a seeded one makes delays repeatable. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * Exponential backoff with full jitter: each delay is drawn between 0 and a bound that grows. Clients that lost the
 * same server at the same moment thus come back spread out, not all together.
 */
export class Backoff {
  readonly #min: number;
  readonly #max: number;
  readonly #factor: number;
  readonly #random: () => number;
  #bound: number;

  /** @throws TcpError `bad-option`. */
  constructor({ min = 100, max = 30_000, factor = 2, random = Math.random }: BackoffOptions = {}) {
    if (!(min > 0 && max >= min && factor >= 1)) {
      const given = `min ${min}, max ${max}, factor ${factor}`;
      throw new TcpError("bad-option", `backoff needs 0 < min <= max and factor >= 1, not ${given}`);
    }
    this.#min = min;
    this.#max = max;
    this.#factor = factor;
    this.#random = random;
    this.#bound = min;
  }

  /** The next delay, in whole milliseconds. */
  next(): number {
    const delay = Math.floor(this.#random() * this.#bound);
    this.#bound = Math.min(this.#max, this.#bound * this.#factor);
    return delay;
  }

  /** Begins anew, with the first delay's bound. */
  reset(): void {
    this.#bound = this.#min;
  }
}
