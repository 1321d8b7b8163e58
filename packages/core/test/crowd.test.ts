// Thousands of clients that do nothing, or next to nothing, and one that is served. The clients are a process of their
// own, so that each process holds one end of every connection; where it may open fewer files, there are fewer of them.
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { connect, DeadlineTimer, lineProtocol, serve } from "../src/index.ts";
import type { CloseReason } from "../src/index.ts";
import { fakeClock } from "../src/testing/index.ts";
import { closed } from "./support.ts";

/** Of twelve clients ten are idle and two drip. */
const SHARE = Math.floor(Math.min(12_000, descriptors() - 1000) / 12);
const IDLE = 10 * SHARE;
const DRIPPING = 2 * SHARE;

function descriptors(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 4000);
  } catch {
    // Not Linux: a number that most systems allow.
    return 4000;
  }
}

/** Tells the clients what to do, and waits until they have. */
async function tell(clients: ChildProcess, order: object): Promise<void> {
  const done = once(clients, "message");
  clients.send(order);
  await done;
}

it(
  `a client is served while ${IDLE} are idle and ${DRIPPING} drip, and deadlines clear them away`,
  { timeout: 60_000 },
  async () => {
    const clock = fakeClock();
    const reasons = new Map<string, number>();
    const gone = Promise.withResolvers<void>();
    let open = 0;
    let dripped = 0;
    const listener = await serve(lineProtocol, ({ text }) => text, {
      timer: new DeadlineTimer(clock),
      deadlines: { firstByte: 120_000, message: 10_000 },
      backlog: 4096,
    });
    listener.on("connection", (connection) => {
      open += 1;
      connection.on("data", () => (dripped += 1));
      connection.on("close", (reason) => {
        reasons.set(describe(reason), (reasons.get(describe(reason)) ?? 0) + 1);
        open -= 1;
        if (open === 0) gone.resolve();
      });
    });
    const clients = fork(fileURLToPath(new URL("crowd-clients.ts", import.meta.url)));
    onTestFinished(() => void clients.kill());
    await tell(clients, { connect: listener.port, idle: IDLE, dripping: DRIPPING });
    // Connected is not accepted: whoever comes last has been accepted after all of them.
    const client = await connect({ port: listener.port });
    const answer = async (text: string): Promise<string> => {
      const heard = once(client, "data") as Promise<[Buffer]>;
      client.write(`${text}\n`);
      return String((await heard)[0]);
    };
    expect(await answer("among thousands")).toBe("among thousands\r\n");
    expect(open).toBe(IDLE + DRIPPING + 1);

    // A byte each, five times, two seconds apart: by then the message is late, although no silence was long.
    for (let round = 0; round < 5; round++) {
      await tell(clients, { drip: true });
      await served(() => dripped >= (round + 1) * DRIPPING, answer);
      clock.advance(2000);
      expect(listener.connections.size).toBe(IDLE + DRIPPING + 1);
    }
    clock.advance(1000);
    await served(() => listener.connections.size === IDLE + 1, answer);
    expect(reasons).toEqual(new Map([["timeout message", DRIPPING]]));

    // The others have said nothing at all.
    clock.advance(120_000);
    await served(() => listener.connections.size === 1, answer);
    expect(reasons.get("timeout first-byte")).toBe(IDLE);
    client.end();
    await gone.promise;
    expect(clock.timers).toBe(0);
    await listener.close();
    expect((await closed(client)).kind).toBe("local");
  },
);

/** Is served, again and again, until something is so. */
async function served(isSo: () => boolean, answer: (text: string) => Promise<string>): Promise<void> {
  do expect(await answer("still here")).toBe("still here\r\n");
  while (!isSo());
}

function describe(reason: CloseReason): string {
  return reason.kind === "timeout" ? `timeout ${reason.deadline}` : reason.kind;
}
