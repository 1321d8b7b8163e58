import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { Lines } from "../src/lines.ts";

const lost = (lines: number): string => `lost ${lines}`;

it("lines come out in order", async () => {
  const stream = new PassThrough();
  const lines = new Lines(stream, lost);
  lines.write("one");
  lines.write("two");
  stream.end();
  expect(await text(stream)).toBe("one\ntwo\n");
});

it("a reader that is slow costs a bounded amount of memory, and is told what it missed", async () => {
  const stream = new PassThrough();
  const lines = new Lines(stream, lost);
  const line = "x".repeat(1023);
  const count = 4096;
  for (let index = 0; index < count; index += 1) lines.write(line);
  expect(stream.writableLength).toBeLessThan(2 * 1024 * 1024);
  stream.once("drain", () => stream.end());
  const got = (await text(stream)).trimEnd().split("\n");
  const kept = got.filter((item) => item === line).length;
  expect(kept).toBeGreaterThan(0);
  expect(got.at(-1)).toBe(`lost ${count - kept}`);
});

it("a reader that has gone is no error, and flushed() does not wait for it", async () => {
  const stream = new PassThrough();
  const lines = new Lines(stream, lost);
  stream.destroy(new Error("EPIPE"));
  await new Promise((resolve) => {
    stream.once("close", resolve);
  });
  lines.write("to nobody");
  await lines.flushed();
});
