// Thousands of clients who take their time, and some who want to be served meanwhile. The slow ones are a process of their
// own, so that each process holds one end of every connection; where it may open fewer files, there are fewer of them.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DeadlineTimer } from "@tcpkit/core";
import type { Listener } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import { expect, it, onTestFinished } from "vitest";
import { serveHttp } from "../src/index.ts";
import type { HttpRequest } from "../src/index.ts";
import type { Order, Told } from "./crowd-clients.ts";
import { Wire } from "./wire.ts";

/** Clients of each of three kinds: slow with their head, slow with their body, idle. */
const EACH = Math.floor(Math.min(6000, descriptors() - 1000) / 3);
const ROUNDS = 5;

function descriptors(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 4000);
  } catch {
    // Not Linux: a number that most systems allow.
    return 4000;
  }
}

setFlagsFromString("--expose-gc");
const sweep = runInNewContext("gc") as () => void;

/** What is held, in bytes, once what is not has been swept. */
function held(): number {
  sweep();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

it("a client is served among thousands that are slow or idle", { timeout: 60_000 }, async () => {
  const clock = fakeClock();
  const failures: unknown[] = [];
  let dripped = 0;
  await using http = await serveHttp(
    async (request: HttpRequest) =>
      request.method === "POST" ? `${(await request.bytes()).length} bytes` : `you asked for ${request.path}`,
    {
      timer: new DeadlineTimer(clock),
      deadlines: { message: 10_000, idle: 60_000 },
      backlog: 4096,
      onError: (error) => failures.push(error),
    },
  );
  http.on("connection", (connection) => {
    connection.on("data", ({ length }) => {
      // Nobody else sends a byte alone.
      if (length === 1) dripped += 1;
    });
  });
  const crowd = fork(fileURLToPath(new URL("crowd-clients.ts", import.meta.url)));
  onTestFinished(() => void crowd.kill());
  const tell = async (order: Order): Promise<Told> => {
    const done = once(crowd, "message") as Promise<[Told]>;
    crowd.send(order);
    return (await done)[0];
  };
  const kept = new Wire(http);
  onTestFinished(() => kept[Symbol.asyncDispose]());
  await ask(kept, "/before");
  const before = held();

  await tell({ connect: { port: http.port, each: EACH } });
  await served(http, kept, () => http.connections.size === 3 * EACH + 1);
  const among = held();

  // A byte each, now and then: heads are late in the end, although no silence was long; bodies make progress.
  for (let round = 0; round < ROUNDS; round++) {
    await tell({ drip: true });
    await served(http, kept, () => dripped === (round + 1) * 2 * EACH);
    clock.advance(2000);
    expect(http.connections.size).toBeGreaterThanOrEqual(3 * EACH + 1);
  }
  clock.advance(1000);
  await served(http, kept, () => http.connections.size === 2 * EACH + 1);
  expect(await tell({ closed: "head" })).toEqual({ "HTTP/1.1 408": EACH });

  // Now nothing comes of the bodies either.
  clock.advance(11_000);
  await served(http, kept, () => http.connections.size === EACH + 1);
  expect(await tell({ closed: "body" })).toEqual({ "HTTP/1.1 408": EACH });

  // The others had their reply, and hear nothing more.
  clock.advance(50_000);
  await served(http, kept, () => http.connections.size === 1);
  expect(await tell({ closed: "idle" })).toEqual({ "HTTP/1.1 200": EACH });

  expect(failures).toEqual([]);
  const after = held();
  // What V8 has compiled meanwhile stays.
  expect(after - before).toBeLessThan((among - before) / 4);
  await kept[Symbol.asyncDispose]();
  await http.close();
  expect(clock.timers).toBe(0);
});

/** One request on this connection, answered as it must be. */
async function ask(wire: Wire, path: string): Promise<void> {
  wire.text = "";
  wire.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const body = `you asked for ${path}`;
  expect(await wire.until(body)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(wire.text.split("\r\n\r\n")[1]).toBe(body);
}

/** Is served on a new connection, and again and again on one that was there before, until something is so. */
async function served(http: Listener, kept: Wire, isSo: () => boolean): Promise<void> {
  {
    await using fresh = new Wire(http);
    await ask(fresh, "/fresh");
  }
  for (let turn = 0; turn === 0 || !isSo(); turn++) await ask(kept, `/kept/${turn}`);
}
