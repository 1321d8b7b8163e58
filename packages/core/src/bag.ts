// A collection without order that things come into and leave all the time. It knows nothing of what it holds.
//
// Why not a Set: V8's grows and shrinks by new tables, the old one pointing to the new. Once one of them lives long enough to
// be taken for old, everything that passes through the next ones survives the quick collections of garbage with it: with
// short-lived connections that was a tenth of the processor's time.

/** What a bag can hold. */
export interface Slotted {
  /** Where it is in its bag, -1 while it is in none. The bag's own: leave it alone. */
  slot: number;
}

export class Bag<Item extends Slotted> implements Iterable<Item> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    if (item.slot >= 0) return;
    item.slot = this.#items.push(item) - 1;
  }

  /** The last one takes its place. */
  delete(item: Item): void {
    if (item.slot < 0) return;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[item.slot] = last;
      last.slot = item.slot;
    }
    item.slot = -1;
  }

  /** From the last to the first, so that whoever is looked at may be deleted. Those that are added meanwhile are not seen. */
  *[Symbol.iterator](): Generator<Item, void, undefined> {
    for (let slot = this.#items.length - 1; slot >= 0; slot--) {
      const item = this.#items[slot];
      if (item !== undefined) yield item;
    }
  }
}
