// Memory that is read into again: whatever a session has handed out stays as it was.
import { lend, takeReadBuffer } from "@tcpkit/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { HttpSession } from "../src/index.ts";
import type { HttpEvent } from "../src/index.ts";

const SIZE = 65_536;

const request = fc
  .record({
    path: fc.integer({ min: 0, max: 999_999 }),
    value: fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 60 }),
    body: fc.constantFrom("none", "length", "chunked"),
    size: fc.integer({ min: 1, max: 300 }),
  })
  .map(({ path, value, body, size }) => {
    const content = String(path).repeat(size);
    const head = `Host: a\r\nX-Value: ${value}-${path}\r\n`;
    if (body === "none") return `GET /${path} HTTP/1.1\r\n${head}\r\n`;
    if (body === "length")
      return `POST /${path} HTTP/1.1\r\n${head}Content-Length: ${content.length}\r\n\r\n${content}`;
    const chunk = `${content.length.toString(16)}\r\n${content}\r\n`;
    return `POST /${path} HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\nX-End: ${path}\r\n\r\n`;
  });

/** All that can be seen of an event. */
function seen(event: HttpEvent): unknown {
  switch (event.type) {
    case "request":
      return [event.method, event.target, [...event.headers.lines()], event.framing];
    case "data":
      return Buffer.from(event.bytes).toString("latin1");
    case "end":
      return [...event.trailers.lines()];
    default:
      return event;
  }
}

/** The events of these chunks, each answered at once, as they look in the end; and how often memory was given back. */
function receive(chunks: readonly Buffer[], reading: (chunk: Buffer) => Buffer): [unknown[], number] {
  const session = new HttpSession();
  const events: HttpEvent[] = [];
  let again = 0;
  for (const chunk of chunks) {
    const read = reading(chunk);
    session.receive(read);
    for (let event = session.next(); event !== undefined; event = session.next()) {
      events.push(event);
      const complete = event.type === "end" || (event.type === "request" && event.framing.type === "none");
      if (complete) session.send({ type: "response", status: 200 });
    }
    // The next read, of somebody else's bytes.
    const next = takeReadBuffer(SIZE);
    if (next.buffer === read.buffer) again += 1;
    next.fill("!");
  }
  return [events.map(seen), again];
}

function cut(text: string, places: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, "latin1");
  const ends = [...new Set(places.map((place) => place % bytes.length)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return ends
    .map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
    .filter(({ length }) => length > 0);
}

const lentMemory = (chunk: Buffer): Buffer => {
  const buffer = takeReadBuffer(SIZE);
  chunk.copy(buffer);
  return lend(buffer, chunk.length);
};

it("heads, content and trailers stay as they were when the memory they came in is read into again", () => {
  let again = 0;
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 4 }),
      (texts, places) => {
        const chunks = cut(texts.join(""), places);
        const [expected] = receive(chunks, (chunk) => Buffer.from(chunk));
        const [events, times] = receive(chunks, lentMemory);
        expect(events).toEqual(expected);
        again += times;
      },
    ),
    { numRuns: 500 },
  );
  expect(again).toBeGreaterThan(0);
});

it("memory of a read that holds nothing but heads is read into again once all of them are out", () => {
  const head = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
  const [, again] = receive(cut(head.repeat(20), []), lentMemory);
  expect(again).toBe(1);
});
