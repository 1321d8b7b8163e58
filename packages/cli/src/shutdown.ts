// Signals, and how they end the program. It knows signals, a deadline and listeners; no protocol.
import type { Report } from "./events.ts";
import type { Listening } from "./services/service.ts";

export type Signal = "SIGINT" | "SIGTERM";

/** What a shell makes of a process that a signal ended: 128 and the signal's number. */
const forced: Readonly<Record<Signal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** The signals of this process, one after the other. Made before anything listens, so that none is missed. */
export class Signals {
  readonly #waiting: ((signal: Signal) => void)[] = [];
  readonly #come: Signal[] = [];

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => this.#on(signal));
  }

  next(): Promise<Signal> {
    const come = this.#come.shift();
    if (come !== undefined) return Promise.resolve(come);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #on(signal: Signal): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#come.push(signal);
    else waiting(signal);
  }
}

/**
 * Drains every listener after the first signal, and gives the exit code: 0 when all connections ended in good
 * order; 130 or 143 when some were still open after `grace` milliseconds, or at a second signal.
 */
export async function drainAll(
  listeners: readonly Pick<Listening, "close">[],
  first: Signal,
  second: Promise<Signal>,
  grace: number,
  report: Report,
): Promise<number> {
  const drained = Promise.all(listeners.map((listener) => listener.close({ deadline: grace })));
  const outcome = await Promise.race([drained, second]);
  if (typeof outcome === "string") return forced[outcome];
  const total = { drained: 0, cut: 0 };
  for (const result of outcome) {
    total.drained += result.drained;
    total.cut += result.cut;
  }
  report({ event: "drained", ...total });
  return total.cut > 0 ? forced[first] : 0;
}
