// An answer to "may this client in?". It knows no mechanism: credentials make verdicts, their exchange reads them.
import type { SaslServerStep } from "./exchange.ts";

/** What `check`, `accept` or `refuse` of a client's credentials came to. Give it back; there is nothing to read in it. */
export class Verdict {
  readonly #owner: object;
  readonly #step: SaslServerStep;

  private constructor(owner: object, step: SaslServerStep) {
    this.#owner = owner;
    this.#step = step;
  }

  /** @internal */
  static make(owner: object, step: SaslServerStep): Verdict {
    return new Verdict(owner, step);
  }

  /**
   * What the exchange `owner` does next; `undefined` when this is no verdict, or one about another exchange.
   * @internal
   */
  static read(verdict: unknown, owner: object): SaslServerStep | undefined {
    return verdict instanceof Verdict && verdict.#owner === owner ? verdict.#step : undefined;
  }
}
