// Group commit: work that costs as much for many as for one. It knows who waits; it knows no files.

interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** What became of an item: `undefined` when all is well, or why not. */
export type Outcome = Error | undefined;

/**
 * Works in rounds. Whoever joins while a round is under way waits for the next one, together with all others who came
 * meanwhile: a round that has begun may have begun before what they wait for.
 */
export class Rounds<Item> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Outcome[]>;
  #waiting: Waiting<Item>[] = [];
  #running: Promise<void> | undefined;

  /** `work` does one round, and gives what became of each item; when it rejects, that is what became of all. */
  constructor(work: (items: readonly Item[]) => Promise<readonly Outcome[]>) {
    this.#work = work;
  }

  /** Resolves once the work for this item is done, or rejects with what it came to. */
  join(item: Item): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ item, resolve, reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves once nobody waits any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const round = this.#waiting;
      this.#waiting = [];
      try {
        const outcomes = await this.#work(round.map(({ item }) => item));
        for (const [index, { resolve, reject }] of round.entries()) {
          const outcome = outcomes[index];
          if (outcome === undefined) resolve();
          else reject(outcome);
        }
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
    }
    this.#running = undefined;
  }
}
