// Group commit: work that costs as much for many as for one. It knows who waits; it knows no files.

interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Works in rounds. Whoever joins while a round is under way waits for the next one, together with all others who came
 * meanwhile: a round that has begun may have begun before what they wait for.
 */
export class Rounds<Item> {
  readonly #work: (items: readonly Item[]) => readonly Promise<unknown>[];
  #waiting: Waiting<Item>[] = [];
  #working = false;

  /** `work` does one round, and gives for each item what it came to. */
  constructor(work: (items: readonly Item[]) => readonly Promise<unknown>[]) {
    this.#work = work;
  }

  /** Resolves, or rejects, as the work for this item does. */
  join(item: Item): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ item, resolve, reject });
    if (!this.#working) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#working = true;
    while (this.#waiting.length > 0) {
      const round = this.#waiting;
      this.#waiting = [];
      const results = this.#work(round.map(({ item }) => item));
      await Promise.all(
        results.map((result, index) => result.then(round[index]?.resolve, round[index]?.reject)),
      );
    }
    this.#working = false;
  }
}
