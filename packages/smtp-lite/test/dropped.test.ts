// Content that is dropped, since its message is refused at its end: who sends it is at work, and not late.
import { setImmediate as turn } from "node:timers/promises";
import { DeadlineTimer, EventLog } from "@tcpkit/core";
import type { Listener } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import { afterEach, describe, expect, it } from "vitest";
import { serveSmtp } from "../src/index.ts";
import { OPEN, RawClient } from "./support.ts";

let listener: Listener | undefined;
let client: RawClient | undefined;

afterEach(async () => {
  client?.socket.destroy();
  await listener?.close({ deadline: 0 });
});

/** A client, and a server with a clock in our hand, of whose pieces of content we hear. */
async function start(): Promise<{
  raw: RawClient;
  texts: string[];
  /** Sends bytes, and lets so many milliseconds go by once the server has dealt with them. */
  send: (bytes: string, milliseconds: number) => Promise<void>;
  advance: (milliseconds: number) => void;
}> {
  const clock = fakeClock();
  const log = new EventLog();
  const texts: string[] = [];
  let heard: (() => void) | undefined;
  log.read((record) => {
    if (record.kind !== "message" || record.type !== "data") return;
    texts.push(record.text);
    heard?.();
  });
  listener = await serveSmtp(
    { onMessage: () => undefined },
    {
      tap: log,
      timer: new DeadlineTimer(clock),
      deadlines: { message: 10_000 },
      limits: { messageSize: 1000 },
    },
  );
  const raw = new RawClient(listener.port);
  client = raw;
  const send = async (bytes: string, milliseconds: number): Promise<void> => {
    const piece = new Promise<void>((resolve) => (heard = resolve));
    raw.write(bytes);
    await piece;
    // The server waits for more.
    await turn();
    clock.advance(milliseconds);
  };
  return { raw, texts, send, advance: (milliseconds) => clock.advance(milliseconds) };
}

const SENDER = "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n";

describe("content that is dropped gets its refusal at its real end, however long it takes to come", () => {
  it.each([
    ["too big", OPEN, 5, `${"x".repeat(500)}\r\n`.repeat(3), "\r\n.\r\n", /^552 5\.3\.4 /],
    ["a bare LF", OPEN, 5, "a\nb\r\n", "\r\n.\r\n", /^550 5\.5\.2 /],
    ["a line too long", OPEN, 5, "x".repeat(2000), "\r\n.\r\n", /^500 5\.5\.2 /],
    ["a chunk out of order", "EHLO x\r\n", 2, "BDAT 505 LAST\r\nfirst", "", /^503 5\.5\.1 /],
    ["chunks that are too big", SENDER, 4, "BDAT 5000 LAST\r\nfirst", "x".repeat(4495), /^552 5\.3\.4 /],
  ])("%s", async (_, before, replies, first, last, refusal) => {
    const { raw, send, texts } = await start();
    raw.write(before);
    await raw.codes(replies);
    await send(first, 8000);
    for (let pieces = 0; pieces < 5; pieces++) await send("more".repeat(25), 8000);
    raw.write(`${last}NOOP\r\n`);
    expect(await raw.reply()).toMatch(refusal);
    expect(await raw.reply()).toBe("250 2.0.0 Ok\r\n");
    expect(texts.filter((text) => /^[0-9]+ bytes of content, dropped$/.test(text)).length).toBeGreaterThan(5);
  });

  it("but the least data rate holds for it (limits.dataRate)", async () => {
    const { raw, send } = await start();
    raw.write("EHLO x\r\n");
    await raw.codes(2);
    await send("BDAT 100000 LAST\r\nfirst", 9000);
    for (let pieces = 0; pieces < 7; pieces++) await send("drip", 9000);
    raw.write("drip");
    expect(await raw.rest()).toBe("421 4.4.2 You send too slowly\r\n");
  });

  it("what was dropped of one message does not count for the next", async () => {
    const { raw, send, advance } = await start();
    raw.write("EHLO x\r\n");
    await raw.codes(2);
    await send("BDAT 10 LAST\r\nfirst", 9000);
    raw.write("again");
    await raw.codes(1);
    await turn();
    advance(200_000);
    raw.write(OPEN.slice(OPEN.indexOf("MAIL")));
    await raw.codes(3);
    await send("a line\r\n", 9000);
    await send("another\r\n", 9000);
    raw.write(".\r\n");
    expect(await raw.codes(1)).toEqual(["250"]);
  });
});
