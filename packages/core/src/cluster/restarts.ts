// When a worker that died is started again, and when there is no point any more. It counts; it knows no process.

export interface RestartOptions {
  /** How many times in a row a worker that dies early is started again. Default: 5. */
  readonly attempts?: number | undefined;
  /** The wait after the first early death, in milliseconds; it doubles with each in a row, up to 30 s. Default: 100. */
  readonly delay?: number | undefined;
  /** A worker that dies sooner than this after it listened died early, in milliseconds. Default: 10,000. */
  readonly steady?: number | undefined;
}

/** The longest wait before a restart, in milliseconds. */
const LONGEST = 30_000;

/** Counts early deaths in a row, over all workers: they run the same code. */
export class Restarts {
  /** How long a worker must have listened to count as healthy, in milliseconds. */
  readonly steadyAfter: number;
  readonly #attempts: number;
  readonly #delay: number;
  #early = 0;

  constructor({ attempts = 5, delay = 100, steady = 10_000 }: RestartOptions = {}) {
    this.steadyAfter = steady;
    this.#attempts = attempts;
    this.#delay = delay;
  }

  /** How long to wait before the next start, in milliseconds; `undefined` to give up. */
  after(death: "early" | "late"): number | undefined {
    // A worker that was healthy may be replaced at once: what killed it does not kill at the start.
    if (death === "late") return 0;
    this.#early += 1;
    if (this.#early > this.#attempts) return undefined;
    return Math.min(this.#delay * 2 ** (this.#early - 1), LONGEST);
  }

  /** A worker has proved healthy: what killed the others is over. */
  steady(): void {
    this.#early = 0;
  }
}
