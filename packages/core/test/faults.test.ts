import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { drive, lineProtocol } from "../src/index.ts";
import type { Connection } from "../src/index.ts";
import {
  drip,
  endAfter,
  fakeClock,
  merge,
  pair,
  randomFaults,
  resetAfter,
  splitAt,
  splitEvery,
  stallAfter,
} from "../src/testing/index.ts";
import type { PairOptions } from "../src/testing/index.ts";
import { closed, eventNames } from "./support.ts";

/** The chunks that a connection gets, as text, in the order in which they come. */
function chunksOf(connection: Connection): string[] {
  const chunks: string[] = [];
  connection.on("data", (chunk) => chunks.push(chunk.toString("latin1")));
  return chunks;
}

/** What becomes of three writes and an end. */
async function sent(faults: PairOptions["faults"]): Promise<string[]> {
  const { client, server } = pair({ faults });
  const chunks = chunksOf(server);
  for (const text of ["one", "two", "three"]) client.write(text);
  client.end();
  await closed(server);
  return chunks;
}

describe("faults that heal", () => {
  it.each([
    ["nothing", undefined, ["one", "two", "three"]],
    ["splitEvery", splitEvery(2), ["on", "e", "tw", "o", "th", "re", "e"]],
    ["splitAt", splitAt(4, 1, 6, 99), ["o", "ne", "t", "wo", "three"]],
    ["merge", merge(2), ["onetwo", "three"]],
    ["merge of more than there are", merge(99), ["onetwothree"]],
    ["the first of a list first", [merge(99), splitAt(5)], ["onetw", "othree"]],
    ["the other order", [splitAt(5), merge(2)], ["onetw", "othree"]],
    ["one direction alone", { toServer: splitAt(1) }, ["o", "ne", "two", "three"]],
    ["the other direction", { toClient: splitEvery(1) }, ["one", "two", "three"]],
  ])("%s", async (_name, faults, chunks) => {
    expect(await sent(faults)).toEqual(chunks);
  });

  it("merge joins what is written in one turn, and keeps nobody waiting for more", async () => {
    const { client, server } = pair({ faults: merge(99) });
    const chunks = chunksOf(server);
    for (const text of ["one", "two"]) client.write(text);
    await turn();
    await turn();
    expect(chunks).toEqual(["onetwo"]);
  });

  it("drip delivers one byte for each tick of the clock, and the end behind the last", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ clock, faults: drip(100) });
    const chunks = chunksOf(server);
    const events = eventNames(server);
    client.write("hello");
    client.end();
    for (let tick = 1; tick <= 5; tick++) {
      await turn();
      expect(chunks.join("")).toBe("hello".slice(0, tick));
      expect(events).not.toContain("end");
      clock.advance(100);
    }
    await closed(server);
    expect(events).toEqual(["data", "data", "data", "data", "data", "end", "close"]);
  });

  it("stallAfter holds everything back for its time, the sender too", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ clock, faults: { toServer: stallAfter(4, 1000) } });
    const chunks = chunksOf(server);
    client.write("one, two");
    while (client.write("x".repeat(10_000))) await turn();
    expect(client.congested).toBe(true);
    clock.advance(999);
    await turn();
    expect(chunks).toEqual(["one,"]);
    clock.advance(1);
    while (client.congested) await turn();
    expect(chunks.slice(0, 2)).toEqual(["one,", " two"]);
    client.end();
    await closed(server);
    expect(chunks.join("")).toHaveLength(client.bytesSent);
  });
});

describe("faults that do not heal", () => {
  it("resetAfter resets both sides, after exactly so many bytes", async () => {
    const { client, server } = pair({ faults: { toServer: resetAfter(4) } });
    const chunks = chunksOf(server);
    const events = eventNames(server);
    client.write("hello");
    expect((await closed(server)).kind).toBe("reset");
    expect((await closed(client)).kind).toBe("reset");
    expect(chunks).toEqual(["hell"]);
    expect(events).toEqual(["data", "error", "close"]);
  });

  it("resetAfter(0) does so although nobody writes", async () => {
    const { client, server } = pair({ faults: { toServer: resetAfter(0) } });
    expect((await closed(server)).kind).toBe("reset");
    expect((await closed(client)).kind).toBe("reset");
  });

  it("endAfter shows the receiver an end, and lets it answer", async () => {
    const { client, server } = pair({ faults: { toServer: endAfter(4) } });
    const replies = chunksOf(client);
    const events = eventNames(server);
    drive(server, lineProtocol, ({ text }) => text);
    client.write("one\ntwo\n");
    expect((await closed(server)).kind).toBe("ended");
    expect((await closed(client)).kind).toBe("ended");
    expect(replies.join("")).toBe("one\r\n");
    expect(events).toEqual(["data", "end", "close"]);
  });

  it("stallAfter for ever leaves it to the deadlines", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ clock, faults: { toServer: stallAfter(4) } });
    drive(server, lineProtocol, ({ text }) => text, { deadlines: { message: 5000 } });
    client.write("half a line\n");
    await turn();
    clock.advance(6000);
    expect(server.closeReason).toEqual({ kind: "timeout", deadline: "message" });
    // The client's end is stalled too, so the server lingers, and then goes.
    await turn();
    clock.advance(3000);
    await closed(server);
  });

  it("stalls a reply, and the write deadline ends the connection; a slow one goes on", async () => {
    const clock = fakeClock();
    const large = "x".repeat(200_000);
    const play = async (faults: PairOptions["faults"]): Promise<Connection> => {
      const { client, server } = pair({ clock, faults });
      drive(server, lineProtocol, () => large, { deadlines: { write: 5000 } });
      client.write("go\n".repeat(9));
      while (!server.congested) await turn();
      for (let second = 0; second < 60 && !server.closed; second++) {
        clock.advance(1000);
        await turn();
      }
      return server;
    };
    const stalled = await play({ toClient: stallAfter(10) });
    expect(await closed(stalled)).toMatchObject({ kind: "timeout", deadline: "write" });
    const slow = await play({ toClient: drip(1000) });
    expect(slow.closeReason).toBeUndefined();
    slow.destroy();
  });
});

describe("a connection that is closed", () => {
  it("still delivers what it sent in good order, however slow the wire", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ clock, faults: { toClient: drip(1000) } });
    const chunks = chunksOf(client);
    const events = eventNames(client);
    client.allowHalfOpen = true;
    server.write("goodbye");
    server.close({ kind: "local" }, 2000);
    for (let second = 0; second < 10; second++) {
      await turn();
      clock.advance(1000);
    }
    expect(server.closed).toBe(true);
    expect(chunks.join("")).toBe("goodbye");
    expect(events.at(-1)).toBe("end");
    // Who writes to somebody who has gone is reset.
    client.write("still there?");
    await closed(client);
    expect(events.slice(-3)).toEqual(["end", "error", "close"]);
  });

  it("resets the other when it was cut off, and what is on its way is lost", async () => {
    const { client, server } = pair({ clock: fakeClock(), faults: { toServer: drip(1000) } });
    const chunks = chunksOf(server);
    client.write("hello");
    await turn();
    client.destroy();
    expect((await closed(server)).kind).toBe("reset");
    expect(chunks).toEqual(["h"]);
  });

  it("leaves no timer on the clock", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ clock, faults: [drip(), stallAfter(3, 1000)] });
    drive(server, lineProtocol, ({ text }) => text);
    client.write("hello\n");
    await turn();
    expect(clock.timers).toBeGreaterThan(0);
    client.destroy();
    await closed(server);
    await closed(client);
    expect(clock.timers).toBe(0);
  });
});

describe("randomFaults", () => {
  it("makes the same script of the same seed, and others of others", () => {
    expect(randomFaults(7).name).toBe(randomFaults(7).name);
    const scripts = Array.from({ length: 1000 }, (_, seed) => randomFaults(seed).name.replace(/^.*?:/, ""));
    expect(new Set(scripts).size).toBeGreaterThan(800);
  });

  it("uses every fault, with offsets inside its bounds", () => {
    const names = Array.from({ length: 1000 }, (_, seed) => {
      const { toServer, toClient } = randomFaults(seed, 50);
      return [...toServer, ...toClient].map(({ name }) => name);
    }).flat();
    const kinds = new Set(names.map((name) => name.split("(")[0]));
    expect(kinds).toEqual(
      new Set(["drip", "endAfter", "merge", "resetAfter", "splitAt", "splitEvery", "stallAfter"]),
    );
    const offsets = names
      .filter((name) => /^(end|reset|stall)After|^splitAt/.test(name))
      .map((name) => parseInt(name.split("(")[1] ?? "", 10));
    expect(Math.max(...offsets)).toBeLessThanOrEqual(50);
    expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0);
  });
});
