// The client over wires that cut, drip, stall, end and reset: whatever happens, no request gets another one's reply, none
// is carried out twice that must not be, and none is left waiting.
import { setImmediate } from "node:timers/promises";
import { DeadlineTimer, drive } from "@tcpkit/core";
import { fakeClock, pair, randomFaults } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { HttpClient, HttpError, httpProtocol } from "../src/index.ts";
import type { HttpEvent, HttpReply } from "../src/index.ts";

/** Answers with the target, and counts what was asked. */
function echo(asked: Map<string, number>): (event: HttpEvent) => HttpReply | undefined {
  return (event) => {
    if (event.type !== "request") return undefined;
    asked.set(event.target, (asked.get(event.target) ?? 0) + 1);
    return { type: "response", status: 200, body: event.target.repeat(20) };
  };
}

describe.each(Array.from({ length: 40 }, (_, seed) => seed))("faults of seed %i", (seed) => {
  it.each([1, 4])(
    "are heard of, and do no harm, with %i requests at a time on a connection",
    async (pipelining) => {
      const clock = fakeClock();
      const timer = new DeadlineTimer(clock);
      const asked = new Map<string, number>();
      let made = 0;
      const client = new HttpClient({
        timer,
        maxConnections: 2,
        pipelining,
        connect: () => {
          const faults = randomFaults(seed * 1000 + made++, 2000);
          const { client, server } = pair({ faults, clock, connection: { timer } });
          drive(server, httpProtocol(), echo(asked));
          return Promise.resolve(client);
        },
      });
      // Runs of those that may be pipelined, between others.
      const methods = ["GET", "POST", "HEAD", "GET", "GET", "HEAD", "GET", "PATCH"];
      const methodOf = (index: number): string => methods[index % methods.length] ?? "GET";
      const outcomes = Array.from({ length: 24 }, async (_, index) => {
        const method = methodOf(index);
        const path = `/${index}`;
        try {
          const reply = await client.request({ method, path });
          expect(await reply.text()).toBe(method === "HEAD" ? "" : path.repeat(20));
          return "answered";
        } catch (error) {
          if (!(error instanceof HttpError)) throw error;
          expect(["incomplete", "connection-failed", "timeout"]).toContain(error.code);
          return error.code;
        }
      });
      let over = false;
      const all = Promise.all(outcomes).finally(() => (over = true));
      while (!over) {
        await setImmediate();
        clock.advance(100);
      }
      await all;
      for (const [path, times] of asked) {
        expect(times).toBeLessThanOrEqual(["GET", "HEAD"].includes(methodOf(Number(path.slice(1)))) ? 2 : 1);
      }
      over = false;
      const closed = client.close().finally(() => (over = true));
      while (!over) {
        await setImmediate();
        clock.advance(100);
      }
      await closed;
    },
  );
});
