import { describe, expect, it } from "vitest";
import { ByteStream } from "../src/index.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

/** A settled turn of the event loop: all that could happen has happened. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A stream that notes what it reports as unused, beside what the test itself notes. */
function noting(): { stream: ByteStream; notes: string[] } {
  const notes: string[] = [];
  const stream = new ByteStream(
    () => notes.push("start"),
    (piece) => notes.push(`unused ${Buffer.from(piece).toString()}`),
  );
  return { stream, notes };
}

describe("consume", () => {
  it("gives each piece to a function that waits for nothing while it is pushed, without a promise", async () => {
    const { stream, notes } = noting();
    const consumed = stream.consume((piece) => {
      notes.push(Buffer.from(piece).toString());
    });
    expect(stream.push(bytes("a"))).toBeUndefined();
    expect(stream.push(bytes("b"))).toBeUndefined();
    expect(notes).toEqual(["start", "a", "unused a", "b", "unused b"]);
    stream.end();
    await consumed;
  });

  it("gives what was pushed before, and lets the producer go on", async () => {
    const { stream, notes } = noting();
    const pushed = stream.push(bytes("early"));
    stream.end();
    expect(stream.started).toBe(false);
    await stream.consume((piece) => {
      notes.push(Buffer.from(piece).toString());
    });
    await pushed;
    expect(notes).toEqual(["start", "early", "unused early"]);
  });

  it("lends a piece until the promise is resolved; the producer waits as long", async () => {
    const { stream, notes } = noting();
    const done = Promise.withResolvers<void>();
    const consumed = stream.consume(() => done.promise);
    const pushed = stream.push(bytes("a"));
    void pushed?.then(() => notes.push("taken"));
    await turn();
    expect(notes).toEqual(["start"]);
    expect(() => stream.push(bytes("b"))).toThrow(/await its promise/);
    done.resolve();
    await pushed;
    expect(notes).toEqual(["start", "unused a", "taken"]);
    await stream.push(bytes("b"));
    stream.end();
    await consumed;
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("full"))],
  ])(
    "fails when the function %s, drops the rest, and does not take the piece for unused",
    async (_how, take) => {
      const { stream, notes } = noting();
      const consumed = stream.consume(take);
      const pushed = stream.push(bytes("a"));
      await expect(consumed).rejects.toThrow("full");
      await pushed;
      expect(stream.discarded).toBe(true);
      expect(stream.push(bytes("b"))).toBeUndefined();
      // Nobody ever saw the second one.
      expect(notes).toEqual(["start", "unused b"]);
    },
  );

  it("fails at once where nothing is borrowed, and otherwise when that has come back", async () => {
    const waiting = new ByteStream();
    const failed = waiting.consume(() => undefined);
    waiting.fail(new Error("gone"));
    await expect(failed).rejects.toThrow("gone");

    const { stream, notes } = noting();
    const done = Promise.withResolvers<void>();
    const consumed = stream.consume(() => done.promise).catch((error: unknown) => notes.push(String(error)));
    const pushed = stream.push(bytes("a"));
    stream.fail(new Error("gone"));
    await pushed;
    await turn();
    expect(notes).toEqual(["start"]);
    done.resolve();
    await consumed;
    expect(notes).toEqual(["start", "unused a", "Error: gone"]);
  });

  it("is one of two ways to read once", async () => {
    const stream = new ByteStream();
    const consumed = stream.consume(() => undefined);
    await expect(stream.consume(() => undefined)).rejects.toThrow(/only once/);
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow(/only once/);
    stream.end();
    await consumed;
  });
});

it("never takes a piece for unused that an iteration has given away", async () => {
  const { stream, notes } = noting();
  const pushed = stream.push(bytes("a"));
  for await (const piece of stream) {
    notes.push(Buffer.from(piece).toString());
    break;
  }
  await pushed;
  expect(notes).toEqual(["start", "a"]);
});
