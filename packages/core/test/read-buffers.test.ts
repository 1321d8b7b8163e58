// When memory that was read into is read into again. A mistake here shows one client's bytes to another.
import { beforeEach, describe, expect, it } from "vitest";
import { keep, lend, READ_SIZE, recycle, takeReadBuffer } from "../src/read-buffers.ts";

/** As many as wait to be used again, at most. */
const MOST = 16;

beforeEach(() => {
  // What other tests gave back is taken away.
  for (let count = 0; count < MOST; count += 1) takeReadBuffer();
});

/** Whether the memory of this buffer is the next that is read into. */
const isNext = (buffer: Buffer): boolean => takeReadBuffer().buffer === buffer.buffer;

describe("memory is read into again", () => {
  it("when the chunk that was handed out is given back", () => {
    const buffer = takeReadBuffer();
    recycle(lend(buffer, 50_000));
    expect(isNext(buffer)).toBe(true);
  });

  it("once for each time that it is given back", () => {
    const buffer = takeReadBuffer();
    const chunk = lend(buffer, 50_000);
    recycle(chunk);
    recycle(chunk);
    expect(isNext(buffer)).toBe(true);
    expect(isNext(buffer)).toBe(false);
  });
});

describe("memory for a piece that a session makes", () => {
  it("is that of a long read, where the piece is long", () => {
    const buffer = takeReadBuffer(READ_SIZE / 2);
    expect(buffer).toHaveLength(READ_SIZE);
    recycle(lend(buffer, READ_SIZE / 2 - 1));
    expect(isNext(buffer)).toBe(true);
  });

  it.each([0, 100, READ_SIZE / 2 - 1, READ_SIZE + 1])("is its own where the piece has %i bytes", (length) => {
    const buffer = takeReadBuffer(length);
    expect(buffer).toHaveLength(length);
    recycle(lend(buffer, length));
    expect(isNext(buffer)).toBe(false);
  });
});

describe("memory is left alone", () => {
  it("while nobody gives it back", () => {
    const buffer = takeReadBuffer();
    lend(buffer, 50_000);
    expect(isNext(buffer)).toBe(false);
  });

  it("when somebody may keep the chunk, whether that is said before or after it is given back", () => {
    const before = takeReadBuffer();
    const after = takeReadBuffer();
    const first = lend(before, 50_000);
    keep(first);
    recycle(first);
    const second = lend(after, 50_000);
    recycle(second);
    keep(second);
    expect(isNext(before)).toBe(false);
    expect(isNext(after)).toBe(false);
  });

  it("when only a part is given back, or a view that is not the chunk itself", () => {
    const buffer = takeReadBuffer();
    const chunk = lend(buffer, 50_000);
    recycle(chunk.subarray(1));
    recycle(chunk.subarray(0, 49_999));
    recycle(chunk.subarray());
    recycle(new Uint8Array(chunk.buffer));
    recycle(buffer);
    recycle(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    expect(isNext(buffer)).toBe(false);
  });

  it("when a chunk of an earlier read is given back late", () => {
    const buffer = takeReadBuffer();
    const early = lend(buffer, 50_000);
    recycle(early);
    const again = takeReadBuffer();
    lend(again, 60_000);
    recycle(early);
    expect(isNext(buffer)).toBe(false);
  });

  it("when it never was ours", () => {
    const foreign = Buffer.allocUnsafeSlow(READ_SIZE);
    recycle(foreign);
    expect(isNext(foreign)).toBe(false);
  });

  it("when it was transferred away; and what is read into again cannot be", () => {
    const gone = takeReadBuffer();
    const chunk = lend(gone, 50_000);
    recycle(chunk);
    structuredClone(chunk, { transfer: [chunk.buffer] });
    expect(takeReadBuffer().length).toBe(READ_SIZE);

    const buffer = takeReadBuffer();
    const late = lend(buffer, 50_000);
    recycle(late);
    expect(isNext(buffer)).toBe(true);
    expect(() => structuredClone(late, { transfer: [late.buffer] })).toThrow(/transfer/);
    expect(buffer.length).toBe(READ_SIZE);
  });

  it("when enough of it waits", () => {
    const buffers = Array.from({ length: MOST + 4 }, takeReadBuffer);
    for (const buffer of buffers) recycle(lend(buffer, READ_SIZE));
    const memory = new Set(buffers.map(({ buffer }) => buffer));
    const again = Array.from(buffers, () => memory.has(takeReadBuffer().buffer));
    expect(again.filter(Boolean)).toHaveLength(MOST);
  });
});
