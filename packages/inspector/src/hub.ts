// Between the event log and the pages: keeps the newest records, and lets any number of readers follow at their own
// pace. It knows no HTTP. A reader that is too slow has no queue of its own: the ring runs past it, and it is told.
import type { EventLog, EventRecord } from "@tcpkit/core";
import { Arena } from "./arena.ts";
import { keep } from "./kept.ts";
import type { KeptRecord } from "./kept.ts";
import { defaultLimits } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { Ring } from "./ring.ts";
import { SecretBlanker } from "./secrets.ts";

export interface HubOptions {
  /** Record secrets (passwords and the like) in clear. Default: false, they are blanked. */
  readonly secrets?: boolean | undefined;
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<Limits> | undefined;
}

/** The next records for one reader. */
export interface Batch {
  readonly records: readonly KeptRecord[];
  /** How many records before these this reader will never see: the ring had no more room for them. */
  readonly dropped: number;
}

/** Reads an event log and keeps its newest records. */
export class Hub implements Disposable {
  readonly limits: Limits;
  readonly #secrets: boolean;
  readonly #ring: Ring;
  /** Where the bytes of the ring's chunks are: they leave the ring before they are written over. */
  readonly #arena: Arena;
  readonly #blanker = new SecretBlanker();
  /**
   * Openings that left the ring while their connection was open (by its number), and listeners' (by a negative
   * number): without them nobody knows what the rest belongs to.
   */
  readonly #openings = new Map<number, KeptRecord>();
  readonly #open = new Set<number>();
  readonly #waiting = new Set<() => void>();
  readonly #stop: () => void;
  /** The number after the newest record's. */
  #next = 1;
  /** What came before this number does not count as dropped: it was before our time, or cleared. */
  #base = 0;
  #generation = 0;

  constructor(log: EventLog, options: HubOptions = {}) {
    this.limits = { ...defaultLimits, ...options.limits };
    this.#secrets = options.secrets ?? false;
    this.#ring = new Ring(this.limits.records, this.limits.bytes);
    this.#arena = new Arena(this.limits.bytes, this.limits.chunkBytes);
    this.#stop = log.read((record) => this.#see(record));
  }

  /** The number of the oldest record kept, or of the next to come when there is none. */
  get first(): number {
    return this.#ring.first?.seq ?? this.#next;
  }

  /** The number of the record to come next. */
  get next(): number {
    return this.#next;
  }

  /** Counts the clearings: a reader that sees another number starts over. */
  get generation(): number {
    return this.#generation;
  }

  /** What the kept records cost, in bytes. */
  get bytes(): number {
    return this.#ring.bytes;
  }

  /** Forgets all records but the openings of listeners and of connections that are open. */
  clear(): void {
    for (const record of this.#ring.clear()) this.#remember(record);
    this.#base = this.#next;
    this.#generation += 1;
    this.#wake();
  }

  /** A reader of what is kept and of what comes. `after` is the number of the last record it has. */
  follow(after: number = 0): HubReader {
    return new HubReader(this, after < this.#next ? after : 0);
  }

  /** The next records from number `seq` on. Their bytes are valid until the next record is seen: use them at once. */
  take(seq: number): Batch & { readonly next: number } {
    const { batchRecords, batchBytes } = this.limits;
    const { first } = this;
    if (seq < first) {
      const records = [...this.#openings.values()].filter((record) => record.seq >= seq);
      const from = Math.max(seq, this.#base);
      const remembered = records.filter((record) => record.seq >= from).length;
      const dropped = Math.max(0, first - from) - remembered;
      if (records.length > 0 || dropped > 0) return { records, dropped, next: first };
    }
    const start = Math.max(seq, first);
    const records = this.#ring.from(start, batchRecords, batchBytes);
    return { records, dropped: 0, next: start + records.length };
  }

  /** Resolves when there is something beyond number `seq` or the records were cleared, or when `signal` aborts. */
  changed(seq: number, generation: number, signal: AbortSignal): Promise<void> {
    if (seq < this.#next || generation !== this.#generation || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  /** Reads the log no more. */
  [Symbol.dispose](): void {
    this.#stop();
  }

  #see(record: EventRecord): void {
    if (this.#base === 0) this.#base = record.seq;
    const kept = keep(record, this.limits, this.#arena, !this.#secrets);
    if (!this.#secrets) this.#blanker.see(kept, this.#ring.newestFirst());
    this.#next = record.seq + 1;
    if (kept.kind === "connection" || kept.kind === "connect") this.#open.add(kept.conn);
    if (kept.kind === "close") {
      this.#open.delete(kept.conn);
      this.#openings.delete(kept.conn);
    }
    for (const gone of this.#ring.push(kept)) this.#remember(gone);
    this.#wake();
  }

  #remember(gone: KeptRecord): void {
    if (this.#openings.size >= this.limits.openings) return;
    if (gone.kind === "listening") this.#openings.set(-gone.seq, gone);
    else if (gone.kind !== "connection" && gone.kind !== "connect") return;
    else if (this.#open.has(gone.conn)) this.#openings.set(gone.conn, gone);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

/** One reader's place in the log. */
export class HubReader {
  readonly #hub: Hub;
  #next: number;
  #generation: number;

  constructor(hub: Hub, after: number) {
    this.#hub = hub;
    this.#next = after + 1;
    this.#generation = hub.generation;
  }

  /** The number of the last record that was taken. */
  get last(): number {
    return this.#next - 1;
  }

  /** True when there is nothing more to take for the moment. */
  get caughtUp(): boolean {
    return this.#next >= this.#hub.next;
  }

  /** The next records, perhaps none; `"cleared"` once after all records were cleared. */
  take(): Batch | "cleared" {
    if (this.#generation !== this.#hub.generation) {
      this.#generation = this.#hub.generation;
      this.#next = 1;
      return "cleared";
    }
    const { next, ...batch } = this.#hub.take(this.#next);
    this.#next = next;
    return batch;
  }

  /** Resolves when `take()` has something to give, or when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#hub.changed(this.#next, this.#generation, signal);
  }
}
