// How many things are under way, and when none is.

export class Pending {
  #count = 0;
  #settled: PromiseWithResolvers<true> | undefined;

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#settled?.resolve(true);
    this.#settled = undefined;
  }

  /** Resolves with true when nothing is under way, and with false when that takes longer than `milliseconds`. */
  async settled(milliseconds: number): Promise<boolean> {
    if (this.#count === 0) return true;
    this.#settled ??= Promise.withResolvers<true>();
    const late = Promise.withResolvers<false>();
    const timer = setTimeout(() => late.resolve(false), milliseconds);
    try {
      return await Promise.race([this.#settled.promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
