// Memory that is read into again: what a session has handed out and nobody gave back stays as it was.
import { lend, recycle, takeReadBuffer } from "@tcpkit/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { SmtpSession } from "../src/index.ts";
import type { Reply } from "../src/index.ts";

const SIZE = 65_536;
const OK: Reply = { code: 250, enhanced: "2.0.0", lines: ["ok"] };

/** Content of some lines, each with a number that no other message has; every fifth begins with a dot. */
function contentOf(seed: number, lines: number): string {
  return Array.from(
    { length: lines },
    (_, line) => `${line % 5 === 0 ? "." : ""}${seed}/${line}${" x".repeat(20)}\r\n`,
  ).join("");
}

const message = fc
  .record({
    seed: fc.nat(99_999),
    lines: fc.integer({ min: 1, max: 150 }),
    by: fc.constantFrom("data", "bdat"),
  })
  .map(({ seed, lines, by }) => {
    const content = contentOf(seed, lines);
    const envelope = `MAIL FROM:<${seed}@a.example>\r\nRCPT TO:<b@c.example>\r\n`;
    if (by === "bdat") return { content, turns: [`${envelope}BDAT ${content.length} LAST\r\n${content}`] };
    const stuffed = content.replaceAll(/^\./gm, "..");
    return { content, turns: [`${envelope}DATA\r\n`, `${stuffed}.\r\n`] };
  });

/** What the client sends at a time: it waits for each 354, and for nothing else. */
function turnsOf(messages: readonly { readonly turns: readonly string[] }[]): string[] {
  const all = [""];
  for (const { turns } of messages) {
    const [first = "", ...rest] = turns;
    all.push((all.pop() ?? "") + first, ...rest);
  }
  return all;
}

it("content stays as it was while that of others is given back and its memory is read into again", () => {
  let again = 0;
  const receive = (texts: readonly string[], cut: number, kept: (index: number) => boolean): string[] => {
    const session = new SmtpSession();
    const pieces: { index: number; bytes: Buffer }[] = [];
    let index = 0;
    const pull = (): void => {
      for (let event = session.next(); event !== undefined; event = session.next()) {
        if (event.type === "data") {
          if (kept(index)) pieces.push({ index, bytes: event.bytes });
          else recycle(event.bytes);
        } else if (event.type !== "bdat") {
          if (event.type === "message-end") index += 1;
          session.send(event.type === "message" ? { code: 354, lines: ["go on"] } : OK);
        }
      }
    };
    session.next();
    session.send({ code: 220, lines: ["a.example"] });
    for (const text of ["EHLO c.example\r\n", ...texts]) {
      for (let at = 0; at < text.length; at += cut) {
        const buffer = takeReadBuffer(SIZE);
        const part = text.slice(at, at + cut);
        buffer.write(part, "latin1");
        session.receive(lend(buffer, part.length));
        pull();
        const next = takeReadBuffer(SIZE);
        if (next.buffer === buffer.buffer) again += 1;
        next.fill("!");
      }
    }
    expect(session.failure).toBeUndefined();
    const contents: string[] = Array.from({ length: index }, () => "");
    for (const piece of pieces) contents[piece.index] += piece.bytes.toString("latin1");
    return contents;
  };
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 3, max: SIZE }),
      fc.integer({ min: 0, max: 31 }),
      (messages, cut, mask) => {
        const kept = (index: number): boolean => ((mask >> index) & 1) === 1;
        const contents = receive(turnsOf(messages), cut, kept);
        for (const [index, { content }] of messages.entries())
          expect(contents[index]).toBe(kept(index) ? content : "");
      },
    ),
    { numRuns: 300 },
  );
  expect(again).toBeGreaterThan(0);
});
