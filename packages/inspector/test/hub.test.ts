import { EventLog } from "@tcpkit/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeptRecord } from "../src/index.ts";
import { Hub } from "../src/index.ts";
import type { HubReader } from "../src/hub.ts";
import { chunk, message, opening, testLog } from "./support/log.ts";

/** Everything that a reader can have now. */
function readAll(reader: HubReader): { records: KeptRecord[]; dropped: number } {
  const records: KeptRecord[] = [];
  let dropped = 0;
  for (;;) {
    const batch = reader.take();
    if (batch === "cleared") continue;
    records.push(...batch.records);
    dropped += batch.dropped;
    if (batch.records.length === 0 && batch.dropped === 0) return { records, dropped };
  }
}

const seqs = (records: readonly KeptRecord[]): number[] => records.map(({ seq }) => seq);

describe("what is kept", () => {
  it("gives every record to a reader that keeps up, whatever the ring holds", () => {
    const log = testLog();
    using hub = new Hub(log, { limits: { records: 3 } });
    const reader = hub.follow();
    const seen: number[] = [];
    for (let conn = 1; conn <= 10; conn += 1) {
      log.observe(opening(conn));
      const { records, dropped } = readAll(reader);
      expect(dropped).toBe(0);
      seen.push(...seqs(records));
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("is bounded in records, and tells a late reader how many it has missed", () => {
    const log = testLog();
    using hub = new Hub(log, { limits: { records: 100 } });
    log.observe(opening(1));
    for (let index = 0; index < 999; index += 1) log.observe({ kind: "drain", conn: 1 });
    const { records, dropped } = readAll(hub.follow());
    // The last hundred, and the opening: the connection is still open.
    expect(seqs(records)).toEqual([1, ...Array.from({ length: 100 }, (_, index) => 901 + index)]);
    expect(dropped).toBe(899);
  });

  it("is bounded in bytes", () => {
    const log = testLog();
    using hub = new Hub(log, { limits: { bytes: 100_000 } });
    for (let index = 0; index < 100; index += 1) {
      log.observe(chunk(1, "in", index * 8000, "x".repeat(8000)));
      expect(hub.bytes).toBeLessThanOrEqual(100_000);
    }
    const { records, dropped } = readAll(hub.follow());
    expect(records).toHaveLength(12);
    expect(dropped).toBe(88);
  });

  it("keeps the beginning of a long chunk and tells its length", () => {
    const log = testLog();
    using hub = new Hub(log, { limits: { chunkBytes: 10 } });
    log.observe(chunk(1, "in", 5, "0123456789abcdef"));
    expect(readAll(hub.follow()).records[0]).toMatchObject({
      span: { start: 5, end: 21 },
      bytes: new Uint8Array(Buffer.from("0123456789")),
    });
  });

  it("is a copy: the bytes of a record are valid only while it is observed", () => {
    const log = testLog();
    using hub = new Hub(log);
    const observation = chunk(1, "in", 0, "hello");
    log.observe(observation);
    if (observation.kind === "data") observation.bytes.fill(0);
    expect(readAll(hub.follow()).records[0]).toMatchObject({ bytes: new Uint8Array(Buffer.from("hello")) });
  });

  it("forgets the opening of a connection that has closed", () => {
    const log = testLog();
    using hub = new Hub(log, { limits: { records: 2 } });
    log.observe(opening(1));
    log.observe(opening(2));
    log.observe({ kind: "close", conn: 1, reason: "ended" });
    log.observe({ kind: "drain", conn: 2 });
    log.observe({ kind: "drain", conn: 2 });
    expect(seqs(readAll(hub.follow()).records)).toEqual([2, 4, 5]);
  });
});

describe("a reader", () => {
  it("goes on after the record it had last", () => {
    const log = testLog();
    using hub = new Hub(log);
    for (let conn = 1; conn <= 5; conn += 1) log.observe(opening(conn));
    expect(seqs(readAll(hub.follow(3)).records)).toEqual([4, 5]);
  });

  it("is told what it has missed while it was away", () => {
    const log = testLog();
    using hub = new Hub(log, { limits: { records: 2 } });
    for (let index = 0; index < 10; index += 1) log.observe({ kind: "drain", conn: 1 });
    expect(readAll(hub.follow(3))).toMatchObject({ dropped: 5, records: [{ seq: 9 }, { seq: 10 }] });
  });

  it("that is too slow has no queue: the ring runs past it", () => {
    const log = testLog();
    using hub = new Hub(log, { limits: { records: 50, batchRecords: 10 } });
    const reader = hub.follow();
    for (let index = 0; index < 50; index += 1) log.observe({ kind: "drain", conn: 1 });
    expect(reader.take()).toMatchObject({ dropped: 0 });
    for (let index = 0; index < 500; index += 1) log.observe({ kind: "drain", conn: 1 });
    const { records, dropped } = readAll(reader);
    expect(records).toHaveLength(50);
    expect(dropped).toBe(490);
  });

  it("with the number of another run starts from the beginning", () => {
    const log = testLog();
    using hub = new Hub(log);
    log.observe(opening(1));
    expect(seqs(readAll(hub.follow(5000)).records)).toEqual([1]);
  });

  it("gets batches within their bounds", () => {
    const log = testLog();
    using hub = new Hub(log, { limits: { batchRecords: 4, batchBytes: 3000 } });
    for (let index = 0; index < 6; index += 1) log.observe({ kind: "drain", conn: 1 });
    log.observe(chunk(1, "in", 0, "x".repeat(2000)));
    log.observe(chunk(1, "in", 2000, "x".repeat(2000)));
    const reader = hub.follow();
    const sizes = Array.from({ length: 4 }, () => {
      const batch = reader.take();
      return batch === "cleared" ? -1 : batch.records.length;
    });
    expect(sizes).toEqual([4, 3, 1, 0]);
  });

  it("counts nothing as dropped that was there before the hub", () => {
    const log = testLog();
    log.observe(opening(1));
    log.observe(opening(2));
    using hub = new Hub(log);
    const reader = hub.follow();
    log.observe(opening(3));
    expect(readAll(reader)).toMatchObject({ dropped: 0, records: [{ seq: 3 }] });
  });

  it("waits until there is something, or until it is aborted", async () => {
    const log = testLog();
    using hub = new Hub(log);
    const reader = hub.follow();
    const stop = new AbortController();
    const changed = reader.changed(stop.signal);
    log.observe(opening(1));
    await changed;
    readAll(reader);
    const aborted = reader.changed(stop.signal);
    stop.abort();
    await aborted;
  });

  it("starts over after clearing, with the connections that are open", () => {
    const log = testLog();
    using hub = new Hub(log);
    const reader = hub.follow();
    log.observe(opening(1));
    log.observe(opening(2));
    log.observe({ kind: "close", conn: 1, reason: "ended" });
    readAll(reader);
    hub.clear();
    expect(reader.take()).toBe("cleared");
    log.observe({ kind: "drain", conn: 2 });
    expect(readAll(reader)).toMatchObject({ dropped: 0, records: [{ seq: 2 }, { seq: 4 }] });
    expect(readAll(hub.follow())).toMatchObject({ dropped: 0, records: [{ seq: 2 }, { seq: 4 }] });
  });
});

describe("secrets", () => {
  const line = "AUTH PLAIN secret\r\n";
  const secret = [11, 17] as const;

  /** The recorded bytes of one direction, joined. */
  function recorded(records: readonly KeptRecord[]): string {
    return records
      .map((record) => (record.kind === "data" ? Buffer.from(record.bytes).toString() : ""))
      .join("");
  }

  it("are blanked in bytes that came before their message, however these were cut", () => {
    for (let first = 0; first <= line.length; first += 1) {
      for (let second = first; second <= line.length; second += 1) {
        const log = testLog();
        using hub = new Hub(log);
        log.observe(opening(1));
        log.observe(chunk(1, "in", 0, line.slice(0, first)));
        log.observe(chunk(1, "out", 0, "secret elsewhere"));
        log.observe(chunk(1, "in", first, line.slice(first, second)));
        log.observe(chunk(2, "in", 0, "secret of others"));
        log.observe(chunk(1, "in", second, line.slice(second)));
        log.observe(message(1, "in", [0, line.length], secret));
        const { records } = readAll(hub.follow());
        const own = records.filter((record) => "conn" in record && record.conn === 1);
        const incoming = own.filter((record) => record.kind === "data" && record.dir === "in");
        expect(recorded(incoming)).toBe("AUTH PLAIN ******\r\n");
        expect(recorded(records.filter((record) => !incoming.includes(record)))).toBe(
          "secret elsewheresecret of others",
        );
      }
    }
  });

  it("are blanked in bytes that leave after their message, however these are cut", () => {
    for (let first = 0; first <= line.length; first += 1) {
      const log = testLog();
      using hub = new Hub(log);
      log.observe(opening(1));
      log.observe(message(1, "out", [0, line.length], secret));
      log.observe(chunk(1, "out", 0, line.slice(0, first)));
      log.observe(chunk(1, "out", first, `${line.slice(first)}secret, but not this`));
      expect(recorded(readAll(hub.follow()).records)).toBe("AUTH PLAIN ******\r\nsecret, but not this");
    }
  });

  it("are blanked in the part that is kept of a chunk", () => {
    const log = testLog();
    using hub = new Hub(log, { limits: { chunkBytes: 14 } });
    log.observe(chunk(1, "in", 0, line));
    log.observe(message(1, "in", [0, line.length], secret));
    const { records } = readAll(hub.follow());
    expect(recorded(records)).toBe("AUTH PLAIN ***");
    expect(records[0]).toMatchObject({ hidden: [{ start: 11, end: 17 }] });
  });

  it("are recorded when that is asked for, and then nobody is told where they stand", () => {
    const log = testLog();
    using hub = new Hub(log, { secrets: true });
    log.observe(chunk(1, "in", 0, line));
    log.observe(message(1, "in", [0, line.length], secret));
    const { records } = readAll(hub.follow());
    expect(recorded(records)).toBe(line);
    expect(records[1]).not.toHaveProperty("secrets");
  });
});

describe("the bytes of kept chunks", () => {
  it("stay what they were as long as they are kept, however many have gone before them", () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 200 }), (chunks) => {
        const log = new EventLog();
        using hub = new Hub(log, { limits: { bytes: 2000, chunkBytes: 32 } });
        let start = 0;
        for (const bytes of chunks) {
          const span = { start, end: start + bytes.length };
          log.observe({ kind: "data", conn: 1, dir: "in", span, bytes });
          start = span.end;
        }
        const kept = hub
          .take(hub.first)
          .records.flatMap((record) => (record.kind === "data" ? [record] : []));
        const newest = chunks.slice(chunks.length - kept.length).map((bytes) => [...bytes.subarray(0, 32)]);
        expect(kept.map((record) => [...record.bytes])).toEqual(newest);
      }),
    );
  });
});
