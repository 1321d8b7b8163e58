import { ByteQueue, lend, recycle, takeReadBuffer } from "@tcpkit/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DotDecoder, DotEncoder } from "../src/index.ts";

/** Decodes pieces as they come; gives the content, and what was left for the next command. */
function decode(
  pieces: readonly Uint8Array[],
  normalize = false,
  longest = Infinity,
): {
  content: string;
  ended: boolean;
  spoiled: boolean;
  rest: string;
} {
  const queue = new ByteQueue();
  const decoder = new DotDecoder(queue, longest, normalize);
  let content = "";
  for (const piece of pieces) {
    queue.push(Buffer.from(piece));
    for (let bytes = decoder.take(); bytes !== undefined; bytes = decoder.take())
      content += bytes.toString("latin1");
    if (decoder.problem !== undefined) decoder.take();
  }
  const rest = queue.takeSome()?.toString("latin1") ?? "";
  return { content, ended: decoder.ended, spoiled: decoder.problem !== undefined, rest };
}

function encode(pieces: readonly Uint8Array[]): Buffer | undefined {
  const encoder = new DotEncoder();
  const encoded: Uint8Array[] = [];
  for (const piece of pieces) {
    const bytes = encoder.encode(piece);
    if (bytes === undefined) return undefined;
    encoded.push(bytes);
  }
  const end = encoder.end();
  return end === undefined ? undefined : Buffer.concat([...encoded, Buffer.from(end)]);
}

/** Cuts bytes at the given points, given as fractions. */
function cut(bytes: Uint8Array, points: readonly number[]): Uint8Array[] {
  const at = points.map((point) => Math.floor(point * bytes.length)).sort((one, other) => one - other);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

const points = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
const pieceOfText = fc.constantFrom("a", ".", "\r\n", "..", "\r\n.", "\0", "ÿ", "text");
const content = fc.array(pieceOfText).map((parts) => Buffer.from(parts.join(""), "latin1"));

describe("dot-stuffing (RFC 5321 section 4.5.2)", () => {
  it("decoding undoes encoding, however either is cut, and stops right behind the end", () => {
    fc.assert(
      fc.property(content, points, points, (bytes, cutsIn, cutsOut) => {
        const encoded = encode(cut(bytes, cutsIn));
        expect(encoded).toBeDefined();
        const wire = Buffer.concat([encoded ?? Buffer.alloc(0), Buffer.from("QUIT\r\n")]);
        const text = bytes.toString("latin1");
        const line = text === "" || text.endsWith("\r\n") ? text : `${text}\r\n`;
        const pieces = cut(wire, cutsOut);
        expect(decode(pieces)).toEqual({ content: line, ended: true, spoiled: false, rest: "QUIT\r\n" });
      }),
    );
  });

  it("only CRLF.CRLF ends a message, whatever the bytes, the longest line and the cuts", () => {
    const nasty = fc.array(fc.constantFrom("\r", "\n", ".", "\r\n", "a", "\0"), { maxLength: 40 });
    const longestLine = fc.constantFrom(Infinity, 2, 3, 4, 5);
    fc.assert(
      fc.property(nasty, longestLine, points, (parts, longest, cuts) => {
        const wire = Buffer.from(parts.join(""), "latin1");
        const { ended, spoiled, rest } = decode(cut(wire, cuts), false, longest);
        // The CRLF in front of the content is that of DATA.
        const text = `\r\n${wire.toString("latin1")}`;
        const end = text.indexOf("\r\n.\r\n");
        expect(ended).toBe(end >= 0);
        if (!ended) return;
        expect(rest).toBe(text.slice(end + 5));
        const raw = text.slice(2, end + 2);
        const lines = raw.split("\r\n").map((line) => line.replace(/^\./, ""));
        const tooLong = lines.some(({ length }) => length + 2 > longest);
        expect(spoiled).toBe(tooLong || /\r(?!\n)|(?<!\r)\n/.test(raw));
      }),
      { numRuns: 2000 },
    );
  });

  it("with normalize a bare LF becomes CRLF, never an end, however it is cut; a bare CR is refused still", () => {
    const nasty = fc.array(fc.constantFrom("\r", "\n", ".", "\r\n", "a", "\n.\r\n", "\n.\n"), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(nasty, points, (parts, cuts) => {
        const wire = Buffer.from(`${parts.join("")}\r\n.\r\nQUIT\r\n`, "latin1");
        const decoded = decode(cut(wire, cuts), true);
        const text = `\r\n${wire.toString("latin1")}`;
        const end = text.indexOf("\r\n.\r\n");
        const raw = text.slice(2, end + 2);
        expect(decoded).toMatchObject({ ended: true, rest: text.slice(end + 5) });
        expect(decoded.spoiled).toBe(/\r(?!\n)/.test(raw));
        if (decoded.spoiled) return;
        const unstuffed = `\r\n${raw}`.replaceAll("\r\n.", "\r\n").slice(2);
        expect(decoded.content).toBe(unstuffed.replaceAll(/(?<!\r)\n/g, "\r\n"));
        // Sent on, it is the same one message for the strictest of servers.
        const sentOn = encode([Buffer.from(decoded.content, "latin1")]);
        expect(decode([sentOn ?? Buffer.alloc(0)])).toEqual({ ...decoded, rest: "" });
      }),
      { numRuns: 1000 },
    );
  });

  it("the encoder refuses a CR or LF that is not part of CRLF, across pieces too (section 2.3.8)", () => {
    for (const bad of [["a\nb"], ["a\rb"], ["\n"], ["a\r", "b"], ["a\r"], ["\r", "\r\n"], ["\r\n", "\n"]]) {
      expect(encode(bad.map((text) => Buffer.from(text)))).toBeUndefined();
    }
  });

  it("plain text is handed on without a copy", () => {
    const queue = new ByteQueue();
    const chunk = Buffer.from("one\r\ntwo\r\n");
    queue.push(chunk);
    const piece = new DotDecoder(queue).take();
    expect(piece?.buffer).toBe(chunk.buffer);
    expect(piece?.byteOffset).toBe(chunk.byteOffset);
  });
});

it("content that fills a chunk is handed out as that very chunk, so that its memory can be read into again", () => {
  const queue = new ByteQueue();
  const decoder = new DotDecoder(queue);
  const chunks = ["one\r\ntwo", " and more\r\n", "..dot\r\n", "end\r\n.\r\n"].map((text) =>
    Buffer.from(text),
  );
  const handedOut = chunks.map((chunk) => {
    queue.push(chunk);
    return decoder.take() === chunk;
  });
  expect(handedOut).toEqual([true, true, false, false]);
  expect(decoder.ended).toBe(true);
});

it("dots are taken off in memory that is used again, as that of the chunk is, and the chunk stays as it was until then", () => {
  const text = "..dot\r\n".repeat(6000);
  const queue = new ByteQueue();
  const decoder = new DotDecoder(queue);
  const buffer = takeReadBuffer();
  buffer.write(text, "latin1");
  const chunk = lend(buffer, text.length);
  queue.push(chunk);
  const content = decoder.take();
  expect(content?.equals(Buffer.from(text.replaceAll("..", ".")))).toBe(true);
  expect(chunk.toString("latin1")).toBe(text);
  expect(takeReadBuffer().buffer).toBe(chunk.buffer);
  recycle(content!);
  expect(takeReadBuffer().buffer).toBe(content?.buffer);
});

it.each([
  ["and its end", "", "x\r\n.\r\n", true],
  ["its end, and what follows", "", "x\r\n.\r\nQUIT\r\n", false],
  ["and a CR whose meaning is open", "", "x\r", false],
  ["its end, and the command before it", "DATA\r\n", "x\r\n.\r\n", false],
])("memory of a chunk that holds content %s", (_what, before, after, usedAgain) => {
  const text = `${before}${"content\r\n".repeat(6000)}${after}`;
  const queue = new ByteQueue();
  const buffer = takeReadBuffer();
  buffer.write(text, "latin1");
  queue.push(lend(buffer, text.length));
  queue.skip(before.length);
  const content = new DotDecoder(queue).take();
  recycle(content!);
  expect(takeReadBuffer().buffer === buffer.buffer).toBe(usedAgain);
});
