// Thousands of clients who take their time, two who send a line that never ends, and one who wants to be served meanwhile.
// The slow ones are a process of their own, so that each process holds one end of every connection; where it may open
// fewer files, there are fewer of them.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DeadlineTimer } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import { expect, it, onTestFinished } from "vitest";
import { SmtpError, serveSmtp } from "../src/index.ts";
import type { Order, Told } from "./crowd-clients.ts";
import { OPEN, RawClient } from "./support.ts";

/** Clients of each of two kinds: slow with a command, slow with their content. */
const EACH = Math.floor(Math.min(2000, descriptors() - 1000) / 2);
const ROUNDS = 5;
const MIB = 1024 * 1024;
const ENDLESS = 64 * MIB;

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
  // The memory of buffers is given back beside the program: the next sweep waits until that is done.
  sweep();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

it(`a client is served among ${2 * EACH} that are slow`, { timeout: 60_000 }, async () => {
  const clock = fakeClock();
  const failures: unknown[] = [];
  let dripped = 0;
  await using smtp = await serveSmtp(
    {
      async onMessage(_, body) {
        for await (const _bytes of body);
      },
    },
    {
      timer: new DeadlineTimer(clock),
      deadlines: { message: 10_000, idle: 60_000 },
      backlog: 4096,
      onError: (error) => failures.push(error),
    },
  );
  smtp.on("connection", (connection) => {
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
  const kept = new RawClient(smtp.port);
  onTestFinished(() => void kept.socket.destroy());
  await kept.reply();
  /** Is served, again and again, until something is so. */
  const served = async (isSo: () => boolean): Promise<void> => {
    do await deliver(kept);
    while (!isSo());
  };

  await tell({ connect: { port: smtp.port, each: EACH } });
  await served(() => smtp.connections.size === 2 * EACH + 1);

  // A byte each, now and then: commands are late in the end, although no silence was long; content makes progress.
  for (let round = 0; round < ROUNDS; round++) {
    await tell({ drip: true });
    await served(() => dripped === (round + 1) * 2 * EACH);
    clock.advance(2000);
    expect(smtp.connections.size).toBe(2 * EACH + 1);
  }
  clock.advance(1000);
  await served(() => smtp.connections.size === EACH + 1);
  expect(await tell({ closed: "command" })).toEqual({ "421 4.4.2": EACH });

  // Now nothing comes of the content either.
  clock.advance(11_000);
  await served(() => smtp.connections.size === 1);
  expect(await tell({ closed: "content" })).toEqual({ "421 4.4.2": EACH });
  expect(failures).toEqual([]);
  kept.socket.destroy();
  await smtp.close();
  expect(clock.timers).toBe(0);
});

it.each([
  ["a command", "", /^500 5\.5\.2 /],
  ["content", OPEN, /^500 5\.5\.2 /],
])(
  "a line of %s that does not end is not kept, and others are served meanwhile",
  async (_, opening, refusal) => {
    const problems: unknown[] = [];
    await using smtp = await serveSmtp({
      async onMessage(_, body) {
        try {
          for await (const _bytes of body);
        } catch (error) {
          problems.push(error);
          throw error;
        }
      },
    });
    const kept = new RawClient(smtp.port);
    await kept.reply();
    const endless = new RawClient(smtp.port);
    endless.write(opening);
    await endless.codes(opening === "" ? 1 : 5);
    await deliver(kept);
    const gone = once(endless.socket, "close");
    const before = held();
    const piece = Buffer.alloc(MIB, "x");
    for (let sent = 0; sent < ENDLESS && endless.socket.writable; sent += MIB) {
      if (!endless.socket.write(piece)) await Promise.race([once(endless.socket, "drain"), gone]);
      if ((sent / MIB) % 8 === 0) await deliver(kept);
    }
    expect(held() - before).toBeLessThan(ENDLESS / 2);
    endless.write("\r\n.\r\n");
    expect(await endless.reply()).toMatch(refusal);
    await deliver(kept);
    expect(problems).toMatchObject(opening === "" ? [] : [expect.any(SmtpError)]);
    for (const client of [kept, endless]) client.socket.destroy();
  },
);

/** Sends a message, which is taken. */
async function deliver(client: RawClient): Promise<void> {
  client.write(OPEN);
  expect(await client.codes(4)).toEqual(["250", "250", "250", "354"]);
  client.write("Subject: a\r\n\r\nb\r\n.\r\n");
  expect(await client.codes(1)).toEqual(["250"]);
}
