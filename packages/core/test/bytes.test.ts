import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteQueue } from "../src/index.ts";

describe("ByteQueue", () => {
  it("adopts a chunk without copying when nothing is unread", () => {
    const queue = new ByteQueue();
    const chunk = Buffer.from("hello");
    queue.push(chunk);
    expect(queue.buffer).toBe(chunk);
    expect(queue.take(5)?.buffer).toBe(chunk.buffer);
  });

  it("gives back exactly what went in, at the right offsets, however it is cut and taken", () => {
    const step = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((push) => ({ push, take: 0 })),
      fc.nat(50).map((take) => ({ push: undefined, take })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ByteQueue();
        const sent: number[] = [];
        const got: number[] = [];
        const handedOut: { bytes: Buffer; copy: Buffer }[] = [];
        for (const { push, take } of steps) {
          if (push !== undefined) {
            sent.push(...push);
            queue.push(push);
          } else {
            expect(queue.offset).toBe(got.length);
            const bytes = queue.takeSome(take);
            if (bytes === undefined) continue;
            got.push(...bytes);
            handedOut.push({ bytes, copy: Buffer.from(bytes) });
          }
          expect(queue.length).toBe(sent.length - got.length);
        }
        expect(got).toEqual(sent.slice(0, got.length));
        // What was handed out is never written over.
        for (const { bytes, copy } of handedOut) expect(bytes.equals(copy)).toBe(true);
      }),
    );
  });

  it("holds many tiny chunks in about their own size", () => {
    const queue = new ByteQueue();
    for (let index = 0; index < 100_000; index++) queue.push(Uint8Array.of(index & 255));
    expect(queue.length).toBe(100_000);
    expect(queue.buffer.length).toBeLessThanOrEqual(300_000);
  });
});
