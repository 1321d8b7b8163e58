// The journal of a mail folder: what makes small messages safe together, long before each of their files is.
//
// It is one file at a time, a segment. A round of messages is appended to it by one write and one fdatasync, while the
// thread waits. A segment that is full or old takes no more: its messages' files are made to last in the background, and then
// it is removed; when that fails for good, it stays.
import type { Clock } from "@tcpkit/core";
import type { Origin } from "./boot.ts";
import { isDoubt, makeSafe, SYNC_TOOLS } from "./journal-checkpoint.ts";
import type { JournalRecord } from "./journal-format.ts";
import { Segment } from "./journal-segment.ts";
import type { Folder } from "./store-disk.ts";

export interface JournalOptions {
  readonly clock?: Pick<Clock, "every">;
  /** Bytes from which on a segment is full. Default: 32 MiB. */
  readonly size?: number;
  /** Milliseconds after which a segment is old. Default: 10,000. */
  readonly age?: number;
  /** Where the tool `sync` may be. Default: where systems have it. */
  readonly tools?: readonly string[];
}

/** Core's `systemClock`, without the rest of core, which the thread has no use for. */
const TIMER: Pick<Clock, "every"> = {
  every(milliseconds, callback) {
    const interval = setInterval(callback, milliseconds).unref();
    return () => clearInterval(interval);
  },
};

export class Journal {
  readonly #folder: Folder;
  readonly #origin: Origin;
  readonly #options: Required<JournalOptions>;
  /** The one that takes records. */
  #segment: Segment | undefined;
  #stopTimer = (): void => {};
  /** Those that take no more, until a checkpoint of theirs has gone well. */
  readonly #sealed = new Set<Segment>();
  #checkpoints: Promise<void> | undefined;
  /** A segment was sealed since the last checkpoint began. */
  #isDue = false;
  /** What became of the last checkpoint, or of one that left files in doubt. */
  #failure: { readonly error: unknown; readonly isDoubt: boolean } | undefined;

  /** `origin`: see `thisOrigin()`. */
  constructor(folder: Folder, origin: Origin, options: JournalOptions = {}) {
    this.#folder = folder;
    this.#origin = origin;
    this.#options = { clock: TIMER, size: 32 * 1024 * 1024, age: 10_000, tools: SYNC_TOOLS, ...options };
  }

  /** True while there is a segment that takes records. */
  get isOpen(): boolean {
    return this.#segment !== undefined;
  }

  /**
   * Puts messages on disk: once it returns, they are safe, and get their names at once. When it throws, none is kept, but
   * each may still come back after a power failure.
   */
  append(records: readonly JournalRecord[]): void {
    // Not as soon as it is full: a checkpoint needs the names.
    if (this.#segment !== undefined && this.#segment.size >= this.#options.size) this.#seal(this.#segment);
    const segment = (this.#segment ??= this.#begin());
    try {
      segment.append(records);
    } catch (error) {
      this.#seal(segment);
      throw error;
    }
  }

  /**
   * Makes all files last and removes every segment. Nothing is appended after it.
   * @throws what the file system said when that failed, now or, for good, at a checkpoint before; then a segment stays, and all
   * messages are safe by it.
   */
  async close(): Promise<void> {
    if (this.#segment !== undefined) this.#seal(this.#segment);
    else if (this.#sealed.size > 0) this.#checkpoint();
    await this.#checkpoints;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #begin(): Segment {
    const segment = new Segment(this.#folder, this.#origin);
    this.#stopTimer = this.#options.clock.every(this.#options.age, () => this.#seal(segment));
    return segment;
  }

  #seal(segment: Segment): void {
    this.#stopTimer();
    this.#segment = undefined;
    this.#sealed.add(segment);
    this.#checkpoint();
  }

  /** Leaves all segments to whoever opens the folder next: what failed may have been a file of any of them. */
  async #giveUp(): Promise<void> {
    if (this.#segment !== undefined) this.#seal(this.#segment);
    const segments = [...this.#sealed];
    this.#sealed.clear();
    for (const segment of segments) {
      segment.close();
      // The disk is failing: without the mark, content is still compared.
      await segment.doubt().catch(() => {});
    }
  }

  /** Begins a checkpoint, or another one behind that which is under way. */
  #checkpoint(): void {
    this.#isDue = true;
    this.#checkpoints ??= this.#runCheckpoints().finally(() => (this.#checkpoints = undefined));
  }

  /**
   * Never rejects: a segment that stays keeps its messages as safe as they are. It has its turn with the next one; but not once
   * the disk has failed, when a sync that goes well says nothing any more.
   */
  async #runCheckpoints(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false;
      const segments = [...this.#sealed];
      try {
        for (const segment of segments) segment.close();
        const ids = segments.flatMap((segment) => segment.ids);
        await makeSafe(this.#folder, ids, this.#options.tools);
        for (const segment of segments) {
          await segment.remove();
          this.#sealed.delete(segment);
        }
        if (this.#failure?.isDoubt === false) this.#failure = undefined;
      } catch (error) {
        if (this.#failure?.isDoubt !== true) this.#failure = { error, isDoubt: isDoubt(error) };
        if (isDoubt(error)) await this.#giveUp();
      }
    }
  }
}
