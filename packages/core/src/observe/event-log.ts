// The event log: numbers and times what is observed and hands it to its readers. It keeps nothing itself.
import type { EventRecord, Observation, Tap } from "./record.ts";

/** Called for each record, synchronously. Bytes in it are valid only during the call. */
export type EventLogReader = (record: EventRecord) => void;

/**
 * A tap that turns observations into numbered, timed records. Give it to any number of listeners and clients, and
 * any number of readers to it: a page, an NDJSON file, a test.
 */
export class EventLog implements Tap {
  readonly #now: () => bigint;
  readonly #readers = new Set<EventLogReader>();
  #seq = 0;

  /** `now` gives monotonic time in nanoseconds. Default: `process.hrtime.bigint`. */
  constructor(now: () => bigint = () => process.hrtime.bigint()) {
    this.#now = now;
  }

  /** Adds a reader; the returned function takes it away. */
  read(reader: EventLogReader): () => void {
    this.#readers.add(reader);
    return () => {
      this.#readers.delete(reader);
    };
  }

  observe(observation: Observation): void {
    this.#seq += 1;
    if (this.#readers.size === 0) return;
    const record: EventRecord = { seq: this.#seq, t: Number(this.#now()), ...observation };
    for (const reader of this.#readers) reader(record);
  }
}

/** One record as a line of NDJSON, with bytes as base64. */
export function toNdjson(record: EventRecord): string {
  return `${JSON.stringify(record, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  )}\n`;
}
