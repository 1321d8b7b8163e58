// How many things are under way, and when none is.

export class Pending {
  #count = 0;
  #settled: PromiseWithResolvers<void> | undefined;

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#settled?.resolve();
    this.#settled = undefined;
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    this.#settled ??= Promise.withResolvers<void>();
    return this.#settled.promise;
  }
}
