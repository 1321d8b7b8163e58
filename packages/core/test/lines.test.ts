import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteQueue, LineFramer, TcpError } from "../src/index.ts";
import type { LineOptions } from "../src/index.ts";

/** What a framer makes of pieces: lines with offsets, and errors by code and offset; framing errors but one end it. */
function frame(pieces: readonly Uint8Array[], options: LineOptions): unknown[] {
  const queue = new ByteQueue();
  const framer = new LineFramer(queue, options);
  const seen: unknown[] = [];
  for (const piece of pieces) {
    queue.push(Buffer.from(piece));
    for (;;) {
      try {
        const line = framer.take();
        if (line === undefined) break;
        seen.push({ text: line.bytes.toString("latin1"), start: line.start, end: line.end });
      } catch (error) {
        if (!(error instanceof TcpError)) throw error;
        seen.push({ code: error.code, offset: error.offset });
        if (error.code !== "line-too-long") return seen;
      }
    }
  }
  return seen;
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

describe("strict lines (CRLF)", () => {
  it("gives each line without its ending, with absolute offsets", () => {
    expect(frame([bytes("one\r\n\r\nthree\r\nfo")], {})).toEqual([
      { text: "one", start: 0, end: 5 },
      { text: "", start: 5, end: 7 },
      { text: "three", start: 7, end: 14 },
    ]);
  });

  it.each([
    ["a bare LF", "ab\ncd\r\n", { code: "bare-lf", offset: 2 }],
    ["a bare LF at the start", "\n", { code: "bare-lf", offset: 0 }],
    ["a bare CR", "ab\rcd\r\n", { code: "bare-cr", offset: 2 }],
    ["CR CR LF", "ab\r\r\n", { code: "bare-cr", offset: 2 }],
  ])("refuses %s, and says where", (_name, input, error) => {
    expect(frame([bytes(input)], {})).toEqual([error]);
  });

  it("goes on after a line that is too long, and keeps no more of it than the limit", () => {
    const queue = new ByteQueue();
    const framer = new LineFramer(queue, { maxLength: 16 });
    queue.push(bytes("x".repeat(16)));
    expect(() => framer.take()).toThrow(expect.objectContaining({ code: "line-too-long", offset: 16 }));
    for (let count = 0; count < 1000; count++) {
      queue.push(bytes("x".repeat(1000)));
      expect(framer.take()).toBeUndefined();
      expect(queue.length).toBeLessThanOrEqual(1);
    }
    queue.push(bytes("\r"));
    expect(framer.take()).toBeUndefined();
    queue.push(bytes("\nnext\r\n"));
    expect(framer.take()?.bytes.toString()).toBe("next");
  });

  it("allows a line of exactly the limit", () => {
    expect(frame([bytes("123456\r\n1234567\r\nok\r\n")], { maxLength: 8 })).toEqual([
      { text: "123456", start: 0, end: 8 },
      { code: "line-too-long", offset: 16 },
      { text: "ok", start: 17, end: 21 },
    ]);
  });
});

describe("lenient lines (LF)", () => {
  it("takes LF and CRLF", () => {
    expect(frame([bytes("a\nb\r\nc\rd\n")], { ending: "lf" })).toEqual([
      { text: "a", start: 0, end: 2 },
      { text: "b", start: 2, end: 5 },
      { text: "c\rd", start: 5, end: 9 },
    ]);
  });
});

describe("how TCP cuts the bytes", () => {
  const piece = fc.constantFrom("a", "bc", "\r\n", "\r", "\n", "\r\r\n", "long enough to be over the limit");
  const input = fc.array(piece, { maxLength: 20 }).map((parts) => bytes(parts.join("")));

  it.each(["crlf", "lf"] as const)("makes no difference (%s)", (ending) => {
    fc.assert(
      fc.property(input, fc.array(fc.nat(60), { maxLength: 6 }), (whole, cuts) => {
        const options = { ending, maxLength: 12 };
        const points = [
          0,
          ...cuts.map((cut) => Math.min(cut, whole.length)).toSorted((a, b) => a - b),
          whole.length,
        ];
        const pieces = points.slice(1).map((point, index) => whole.subarray(points[index], point));
        expect(frame(pieces, options)).toEqual(frame([whole], options));
        expect(
          frame(
            Array.from(whole, (byte) => Uint8Array.of(byte)),
            options,
          ),
        ).toEqual(frame([whole], options));
      }),
    );
  });
});
