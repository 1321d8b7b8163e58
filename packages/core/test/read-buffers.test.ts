// When memory that was read into is read into again. A mistake here shows one client's bytes to another.
import { beforeEach, describe, expect, it } from "vitest";
import {
  isWorthLending,
  keep,
  lend,
  narrow,
  READ_SIZE,
  recycle,
  takeReadBuffer,
} from "../src/read-buffers.ts";

/** As many of the largest as wait to be used again, at most. */
const MOST = 8;
/** Less has no buffer of its own. */
const SHORT = 4096;
/** The sizes of buffers that are used again. */
const SIZES = [8192, 16_384, 32_768, READ_SIZE];

beforeEach(() => {
  // What other tests gave back is taken away.
  for (const size of SIZES) for (let count = 0; count < 64; count += 1) takeReadBuffer(size);
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
  it.each([
    [SHORT, 8192],
    [8192, 8192],
    [8193, 16_384],
    [16_384, 16_384],
    [16_385, 32_768],
    [32_768, 32_768],
    [32_769, READ_SIZE],
    [READ_SIZE, READ_SIZE],
  ])("of %i bytes is of %i, and is used again for what fits in that", (length, size) => {
    const buffer = takeReadBuffer(length);
    expect(buffer).toHaveLength(size);
    recycle(lend(buffer, length));
    expect(takeReadBuffer(size).buffer).toBe(buffer.buffer);
    recycle(lend(buffer, length));
    if (size > 8192) expect(takeReadBuffer(size / 2).buffer).not.toBe(buffer.buffer);
    if (size < READ_SIZE) expect(takeReadBuffer(size + 1).buffer).not.toBe(buffer.buffer);
    expect(takeReadBuffer(length).buffer).toBe(buffer.buffer);
  });

  it.each([0, 100, SHORT - 1, READ_SIZE + 1])("is its own where the piece has %i bytes", (length) => {
    const buffer = takeReadBuffer(length);
    expect(buffer).toHaveLength(length);
    recycle(lend(buffer, length));
    expect(isNext(buffer)).toBe(false);
  });
});

describe("memory for reads", () => {
  it("is lent now and then, and each time once it is given back; short reads have none", () => {
    const worth = (length: number): number =>
      Array.from({ length: 160 }, () => isWorthLending(length)).filter(Boolean).length;
    expect(worth(SHORT - 1)).toBe(0);
    expect(worth(10_000)).toBe(10);
    recycle(lend(takeReadBuffer(10_000), 10_000));
    expect(worth(10_000)).toBe(160);
    expect(worth(20_000)).toBe(10);
    takeReadBuffer(10_000);
    expect(worth(10_000)).toBe(10);
  });

  it("has no bytes of an earlier read behind what was read", () => {
    const buffer = takeReadBuffer();
    buffer.fill("secret");
    recycle(lend(buffer, READ_SIZE));
    const again = takeReadBuffer();
    expect(again.buffer).toBe(buffer.buffer);
    again.write("short");
    const chunk = lend(again, 5);
    expect(Buffer.from(chunk.buffer).includes("secret")).toBe(false);
    expect(chunk.toString()).toBe("short");
  });

  it.each(SIZES)(
    "cannot be transferred to another thread, be it new or used before; in buffers of %i",
    (size) => {
      for (let turn = 0; turn < 2; turn += 1) {
        const chunk = lend(takeReadBuffer(size), size);
        expect(() => structuredClone(chunk, { transfer: [chunk.buffer] })).toThrow(/transfer/);
        expect(chunk).toHaveLength(size);
        recycle(chunk);
      }
    },
  );
});

describe("a chunk of which a part is all that anybody holds", () => {
  it("is used again when that part is given back, and no longer when the chunk is", () => {
    const buffer = takeReadBuffer();
    const chunk = lend(buffer, 50_000);
    const part = chunk.subarray(0, 49_995);
    narrow(chunk, part);
    recycle(chunk);
    expect(isNext(buffer)).toBe(false);
    recycle(part);
    expect(isNext(buffer)).toBe(true);
  });

  it("is left alone when somebody may keep the chunk, or the part", () => {
    const buffer = takeReadBuffer();
    const kept = lend(buffer, 50_000);
    keep(kept);
    const part = kept.subarray(0, 49_995);
    narrow(kept, part);
    recycle(part);
    const another = takeReadBuffer();
    const chunk = lend(another, 50_000);
    const keptPart = chunk.subarray(0, 49_995);
    narrow(chunk, keptPart);
    keep(keptPart);
    recycle(keptPart);
    expect(isNext(buffer)).toBe(false);
    expect(isNext(another)).toBe(false);
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

  it.each(SIZES)("when enough of it waits, in buffers of %i", (size) => {
    const most = (MOST * READ_SIZE) / size;
    const buffers = Array.from({ length: most + 4 }, () => takeReadBuffer(size));
    for (const buffer of buffers) recycle(lend(buffer, size));
    const memory = new Set(buffers.map(({ buffer }) => buffer));
    const again = Array.from(buffers, () => memory.has(takeReadBuffer(size).buffer));
    expect(again.filter(Boolean)).toHaveLength(most);
  });
});
