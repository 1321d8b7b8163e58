// 10,000 wires that misbehave, each in its own way. Whatever happens to the bytes, a driver answers in order or closes,
// each side closes once with one reason, and nothing is left behind. TCPKIT_SEEDS=from-to runs other seeds.
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { drive, lineProtocol } from "../src/index.ts";
import type { Connection, Handler, LineEvent } from "../src/index.ts";
import { fakeClock, pair, randomFaults } from "../src/testing/index.ts";

const [FROM = 1, TO = 10_000] = (process.env["TCPKIT_SEEDS"] ?? "1-10000").split("-").map(Number);
/** A large reply is more than a stream buffers, so that the peer's slowness reaches the driver. */
const LARGE = "x".repeat(70_000);
/** Longer than any fault that heals. */
const DEADLINES = { idle: 300_000, message: 300_000, write: 300_000 };
const HANDLERS = ["sync", "sync", "async", "turn", "throw", "reject"];

/** What a client sends: `sync 0`, `turn 1 large`, … Its words say how the handler behaves. */
function request(seed: number): string[] {
  const count = 1 + (seed % 9);
  return Array.from({ length: count }, (_, index) => {
    // Failing handlers and large replies are the exception.
    const kinds = (seed + index) % 7 === 0 ? HANDLERS.length : 4;
    const kind = HANDLERS[(seed * 31 + index * 17) % kinds];
    return `${kind} ${index}${(seed * 7 + index) % 250 === 0 ? " large" : ""}`;
  });
}

function reply(text: string): string {
  return text.endsWith(" large") ? `${text} ${LARGE}` : text;
}

const handler: Handler<LineEvent, string> = ({ text }) => {
  switch (text.split(" ")[0]) {
    case "sync":
      return reply(text);
    case "async":
      return Promise.resolve(reply(text));
    case "turn":
      return turn(reply(text));
    case "throw":
      throw new Error("a bug");
    case "reject":
      return Promise.reject(new Error("a bug"));
    default:
      throw new Error(`half a line was taken for a whole one: ${text.slice(0, 100)}`);
  }
};

interface Outcome {
  readonly received: string;
  readonly chunks: readonly number[];
  readonly reasons: { readonly client: string[]; readonly server: string[] };
  readonly timers: number;
  /** From the server's seeing the client's end to its own close, in milliseconds. */
  readonly lingered: number;
}

async function play(seed: number): Promise<Outcome> {
  const clock = fakeClock();
  const { client, server } = pair({ clock, faults: randomFaults(seed) });
  const reasons = { client: record(client), server: record(server) };
  const received: string[] = [];
  const chunks: number[] = [];
  server.on("data", (chunk) => chunks.push(chunk.length));
  client.on("data", (chunk) => {
    chunks.push(-chunk.length);
    received.push(chunk.toString("latin1"));
  });
  drive(server, lineProtocol, handler, { deadlines: DEADLINES });
  for (const text of request(seed)) client.write(`${text}\r\n`);
  // Half of the clients end; the others wait for the server to do so.
  if (seed % 2 === 0) client.end();
  let ended = 0;
  let lingered = 0;
  server.on("end", () => (ended = clock.now()));
  server.on("close", () => (lingered = clock.now() - ended));
  let patience = 0;
  client.on("data", () => (patience = 400));
  for (patience = 400; !(client.closed && server.closed); patience--) {
    // A client to whom nothing comes any more gives up, as a person would.
    if (patience === 0) client.destroy();
    assert.ok(patience > -400, `${randomFaults(seed).name}: still open`);
    clock.advance(patience % 2 === 0 ? 0 : 5000);
    await turn();
  }
  return { received: received.join(""), chunks, reasons, timers: clock.timers, lingered };
}

function record(connection: Connection): string[] {
  const reasons: string[] = [];
  connection.on("error", () => {});
  connection.on("close", (reason) => {
    reasons.push(reason.kind === "timeout" ? `timeout ${reason.deadline}` : reason.kind);
  });
  return reasons;
}

/** The replies that a perfect wire would bring: up to the first handler that fails. */
function perfect(seed: number): { readonly text: string; readonly fails: boolean } {
  const lines = request(seed);
  const bug = lines.findIndex((text) => text.startsWith("throw") || text.startsWith("reject"));
  const answered = bug < 0 ? lines : lines.slice(0, bug);
  return { text: answered.map((text) => `${reply(text)}\r\n`).join(""), fails: bug >= 0 };
}

function check(seed: number, { received, reasons, timers, lingered }: Outcome): void {
  const { name, toServer, toClient } = randomFaults(seed);
  const right = perfect(seed);
  assert.equal(reasons.client.length, 1, `${name}: reasons of the client`);
  assert.equal(reasons.server.length, 1, `${name}: reasons of the server`);
  assert.equal(timers, 0, `${name}: timers left`);
  assert.ok(right.text.startsWith(received), `${name}: received ${received.slice(0, 400)}`);
  const heals = [...toServer, ...toClient].every((fault) => !/^(end|reset)After|Infinity/.test(fault.name));
  if (!heals || right.fails) return;
  assert.equal(received.length, right.text.length, `${name}: bytes received`);
  const ended = seed % 2 === 0;
  assert.deepEqual(reasons.client, [ended ? "local" : "ended"], name);
  assert.deepEqual(reasons.server, [ended ? "ended" : "timeout idle"], name);
  // An end in good order is answered at once, not by a deadline; only a large reply may take its time.
  const quick = ended && received.length < LARGE.length;
  assert.ok(!quick || lingered < DEADLINES.idle / 2, `${name}: lingered ${lingered} ms`);
}

// The bytes come from memory: how sockets are read plays no part.
describe.skipIf(process.env["TCPKIT_FAST_READ"] === "off")("a driver on a wire with faults", () => {
  it(
    `answers in order or closes, and leaves nothing behind: seeds ${FROM} to ${TO}`,
    { timeout: 120_000 },
    async () => {
      const rejections: unknown[] = [];
      const onRejection = (error: unknown): void => void rejections.push(error);
      process.on("unhandledRejection", onRejection);
      const kinds = new Set<string>();
      let before = 0;
      for (let seed = FROM; seed <= TO; seed++) {
        const outcome = await play(seed);
        check(seed, outcome);
        kinds.add(`client ${outcome.reasons.client[0]}`).add(`server ${outcome.reasons.server[0]}`);
        assert.deepEqual(rejections, [], randomFaults(seed).name);
        if (seed === FROM + 1000) before = await heapUsed();
      }
      process.off("unhandledRejection", onRejection);
      if (TO - FROM < 9000) return;
      // 9,000 scripts later: one connection kept of each would be tens of megabytes.
      expect((await heapUsed()) - before).toBeLessThan(8_000_000);
      // The scripts are no use unless they reach every way of closing.
      expect([...kinds].toSorted()).toEqual([
        "client aborted",
        "client ended",
        "client local",
        "client reset",
        "server ended",
        "server local",
        "server reset",
        "server timeout first-byte",
        "server timeout idle",
        "server timeout message",
        "server timeout write",
      ]);
    },
  );

  it("cuts the same bytes in the same places when the seed is the same", async () => {
    for (let seed = 1; seed <= 200; seed++) {
      assert.deepEqual(await play(seed), await play(seed), randomFaults(seed).name);
    }
  });
});

async function heapUsed(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // What the last turns left for finalizers goes with the second round.
  collect();
  await turn();
  collect();
  return process.memoryUsage().heapUsed;
}
