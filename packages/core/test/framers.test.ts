import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ByteQueue,
  DelimiterFramer,
  encodeDelimited,
  encodeLengthPrefixed,
  encodeNetstring,
  FixedFramer,
  LengthPrefixFramer,
  NetstringFramer,
  TcpError,
} from "../src/index.ts";
import type { Framer } from "../src/index.ts";

type Make = (queue: ByteQueue) => Framer;

/** All frames of the pieces, as text with offsets; a framing error is the last thing seen. */
function frames(pieces: readonly Uint8Array[], make: Make): unknown[] {
  const queue = new ByteQueue();
  const framer = make(queue);
  const seen: unknown[] = [];
  try {
    for (const piece of pieces) {
      queue.push(Buffer.from(piece));
      for (let frame = framer.take(); frame !== undefined; frame = framer.take()) {
        seen.push({ text: frame.bytes.toString("latin1"), start: frame.start, end: frame.end });
      }
    }
  } catch (error) {
    if (!(error instanceof TcpError)) throw error;
    seen.push({ code: error.code, offset: error.offset, blame: error.blame });
  }
  return seen;
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const single = (input: Uint8Array): Uint8Array[] => Array.from(input, (byte) => Uint8Array.of(byte));

const vectors: { name: string; make: Make; input: string; expected: unknown[] }[] = [
  {
    name: "delimiter: frames and a rest",
    make: (queue) => new DelimiterFramer(queue, { delimiter: "--\n" }),
    input: "one--\n--\ntwo-\n---\nrest",
    expected: [
      { text: "one", start: 0, end: 6 },
      { text: "", start: 6, end: 9 },
      { text: "two-\n-", start: 9, end: 18 },
    ],
  },
  {
    name: "delimiter: exactly the limit, and one more",
    make: (queue) => new DelimiterFramer(queue, { delimiter: "\0", maxLength: 4 }),
    input: "abc\0abcd\0",
    expected: [
      { text: "abc", start: 0, end: 4 },
      { code: "frame-too-long", offset: 8, blame: "remote" },
    ],
  },
  {
    name: "length prefix: big endian, two bytes",
    make: (queue) => new LengthPrefixFramer(queue, { size: 2 }),
    input: "\0\x03abc\0\0\0\x01",
    expected: [
      { text: "abc", start: 0, end: 5 },
      { text: "", start: 5, end: 7 },
    ],
  },
  {
    name: "length prefix: little endian, a header before it, the length counts itself",
    make: (queue) => new LengthPrefixFramer(queue, { size: 3, endian: "little", header: 1, adjustment: -3 }),
    input: "T\x05\0\0hiT\x03\0\0",
    expected: [
      { text: "hi", start: 0, end: 6 },
      { text: "", start: 6, end: 10 },
    ],
  },
  {
    name: "length prefix: a length below zero",
    make: (queue) => new LengthPrefixFramer(queue, { size: 1, adjustment: -2 }),
    input: "\x01",
    expected: [{ code: "bad-frame", offset: 0, blame: "remote" }],
  },
  {
    name: "length prefix: over the limit, refused before its bytes come",
    make: (queue) => new LengthPrefixFramer(queue, { size: 8 }),
    input: "\xff\xff\xff\xff\xff\xff\xff\xff",
    expected: [{ code: "frame-too-long", offset: 0, blame: "remote" }],
  },
  {
    name: "fixed",
    make: (queue) => new FixedFramer(queue, 4),
    input: "abcdefghij",
    expected: [
      { text: "abcd", start: 0, end: 4 },
      { text: "efgh", start: 4, end: 8 },
    ],
  },
  {
    name: "netstring",
    make: (queue) => new NetstringFramer(queue),
    input: "12:hello world!,0:,3:a,b,",
    expected: [
      { text: "hello world!", start: 0, end: 16 },
      { text: "", start: 16, end: 19 },
      { text: "a,b", start: 19, end: 25 },
    ],
  },
  ...(
    [
      ["no digits", ":,", 0],
      ["a leading zero", "03:abc,", 1],
      ["a sign", "+3:abc,", 0],
      ["no comma", "3:abcd", 5],
    ] as const
  ).map(([what, input, offset]) => ({
    name: `netstring: ${what}`,
    make: (queue: ByteQueue) => new NetstringFramer(queue),
    input,
    expected: [{ code: "bad-frame", offset, blame: "remote" }],
  })),
  {
    name: "netstring: over the limit, refused at its digit",
    make: (queue) => new NetstringFramer(queue, { maxLength: 99 }),
    input: "100:",
    expected: [{ code: "frame-too-long", offset: 2, blame: "remote" }],
  },
];

describe("framers", () => {
  it.each(vectors)("$name", ({ make, input, expected }) => {
    const whole = bytes(input);
    expect(frames([whole], make)).toEqual(expected);
    expect(frames(single(whole), make)).toEqual(expected);
    for (let at = 1; at < whole.length; at++) {
      expect(frames([whole.subarray(0, at), whole.subarray(at)], make)).toEqual(expected);
    }
  });

  it("can be changed between two frames of one stream", () => {
    const queue = new ByteQueue();
    queue.push(bytes("GO\0\x02hi5:later,"));
    const seen = [
      new DelimiterFramer(queue, { delimiter: "O" }).take(),
      new LengthPrefixFramer(queue, { size: 2 }).take(),
      new NetstringFramer(queue).take(),
    ];
    expect(seen.map((frame) => frame?.bytes.toString())).toEqual(["G", "hi", "later"]);
    expect(seen.map((frame) => frame?.end)).toEqual([2, 6, 14]);
  });

  it.each([
    () => new DelimiterFramer(new ByteQueue(), { delimiter: "" }),
    () => new LengthPrefixFramer(new ByteQueue(), { size: 9 }),
    () => new FixedFramer(new ByteQueue(), 0),
  ])("refuses options that make no sense", (make) => {
    expect(make).toThrow(expect.objectContaining({ code: "bad-option" }));
  });
});

describe("encoders", () => {
  const content = fc.uint8Array({ maxLength: 300 });
  const back = (frame: Uint8Array, make: Make): string | undefined => {
    const queue = new ByteQueue();
    queue.push(frame);
    const got = make(queue).take()?.bytes.toString("latin1");
    expect(queue.length).toBe(0);
    return got;
  };

  it("are the inverse of their framers", () => {
    const shape = fc.record({
      size: fc.integer({ min: 2, max: 8 }),
      endian: fc.constantFrom("big", "little"),
      adjustment: fc.integer({ min: -8, max: 0 }),
    });
    fc.assert(
      fc.property(content, shape, (input, options) => {
        const text = Buffer.from(input).toString("latin1");
        expect(back(encodeNetstring(input), (queue) => new NetstringFramer(queue))).toBe(text);
        expect(
          back(encodeLengthPrefixed(input, options), (queue) => new LengthPrefixFramer(queue, options)),
        ).toBe(text);
        const delimiter = "\0\0";
        if (`${text}\0\0`.indexOf(delimiter) !== text.length) {
          expect(() => encodeDelimited(input, delimiter)).toThrow(
            expect.objectContaining({ code: "bad-frame" }),
          );
        } else {
          const frame = encodeDelimited(input, delimiter);
          expect(back(frame, (queue) => new DelimiterFramer(queue, { delimiter }))).toBe(text);
        }
      }),
    );
  });

  it("refuse what their framer could not read", () => {
    const big = Buffer.alloc(300);
    expect(() => encodeLengthPrefixed(big, { size: 1 })).toThrow(/cannot hold 300/);
    expect(() => encodeLengthPrefixed(big, { maxLength: 299 })).toThrow(
      expect.objectContaining({ code: "frame-too-long" }),
    );
    expect(() => encodeLengthPrefixed(big, { header: 1 })).toThrow(
      expect.objectContaining({ code: "bad-option" }),
    );
  });
});
