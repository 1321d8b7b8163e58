// The newest records, bounded in number and in bytes: the oldest go first. It knows nothing of what they mean.
import type { KeptRecord } from "./kept.ts";
import { costOf } from "./kept.ts";

/** Records in the order of their `seq`, without gaps. */
export class Ring {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  #records: (KeptRecord | undefined)[] = [];
  /** Where the first record stands in the array; what is before it has gone. */
  #head = 0;
  #bytes = 0;

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#records.length - this.#head;
  }

  /** What the records cost, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The oldest record. */
  get first(): KeptRecord | undefined {
    return this.#records[this.#head];
  }

  /** Adds the newest record and returns those that had to go for it, oldest first. */
  push(record: KeptRecord): KeptRecord[] {
    this.#records.push(record);
    this.#bytes += costOf(record);
    const gone: KeptRecord[] = [];
    while (this.length > 1 && (this.length > this.#maxRecords || this.#bytes > this.#maxBytes)) {
      gone.push(this.#shift());
    }
    return gone;
  }

  /** The records from number `seq` on, as many as `count` and `bytes` allow, but at least one if there is one. */
  from(seq: number, count: number, bytes: number): KeptRecord[] {
    const first = this.first;
    if (first === undefined) return [];
    const taken: KeptRecord[] = [];
    let cost = 0;
    for (let index = this.#head + Math.max(0, seq - first.seq); taken.length < count; index += 1) {
      const record = this.#records[index];
      if (record === undefined) break;
      cost += costOf(record);
      if (cost > bytes && taken.length > 0) break;
      taken.push(record);
    }
    return taken;
  }

  /** All records, newest first. */
  *newestFirst(): Generator<KeptRecord, void> {
    for (let index = this.#records.length - 1; index >= this.#head; index -= 1) {
      yield this.#records[index] as KeptRecord;
    }
  }

  /** Empties it and returns what was in it, oldest first. */
  clear(): KeptRecord[] {
    const gone = this.#records.slice(this.#head) as KeptRecord[];
    this.#records = [];
    this.#head = 0;
    this.#bytes = 0;
    return gone;
  }

  #shift(): KeptRecord {
    const record = this.#records[this.#head] as KeptRecord;
    this.#records[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= costOf(record);
    // Moving the rest down at each step would cost as much as the ring is long; now and then, it costs nothing.
    if (this.#head > 1024 && this.#head * 2 > this.#records.length) {
      this.#records = this.#records.slice(this.#head);
      this.#head = 0;
    }
    return record;
  }
}
