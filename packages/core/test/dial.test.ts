import { duplexPair } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Address } from "../src/index.ts";
import { Connection } from "../src/connection.ts";
import { interleave, race } from "../src/dial.ts";
import { fakeClock } from "../src/testing/index.ts";
import { Mailbox } from "./client-support.ts";
import { closed } from "./support.ts";

describe("interleave", () => {
  const sorted = (list: string): string =>
    interleave(list.split(" ").map((address) => ({ address, family: Number(address[0]) })))
      .map(({ address }) => address)
      .join(" ");

  it("lets the families take turns, beginning with the resolver's first, and keeps the order within each", () => {
    expect(sorted("6a 6b 6c 4a 4b")).toBe("6a 4a 6b 4b 6c");
    expect(sorted("4a 4b 6a")).toBe("4a 6a 4b");
    expect(sorted("4a 4b")).toBe("4a 4b");
    expect(interleave([])).toEqual([]);
  });
});

/** A race over `count` addresses, on a fake clock, whose attempts are decided by the test. */
function start(count: number) {
  const clock = fakeClock();
  const stop = new AbortController();
  const started = new Mailbox<Connection>();
  const all: Connection[] = [];
  const addresses = Array.from({ length: count }, (_, index): Address => {
    return { kind: "tcp", host: `10.0.0.${index + 1}`, port: 80 };
  });
  const attempt = (remote: Address): Connection => {
    const [wire] = duplexPair({ allowHalfOpen: true });
    const client = new Connection(wire, {}, { remote });
    all.push(client);
    started.put(client);
    return client;
  };
  const result = race({ addresses, start: attempt, delay: 250, clock, signal: stop.signal });
  return { clock, stop, started, all, result };
}

function refuse(connection: Connection): void {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  connection.destroy({ kind: "aborted", cause });
}

describe("race", () => {
  it("gives each address the delay, then tries the next beside it; the first to connect wins", async () => {
    const { clock, all, result } = start(3);
    clock.advance(249);
    expect(all).toHaveLength(1);
    clock.advance(1);
    expect(all).toHaveLength(2);
    const [first, second] = all;
    // The slow first one is still in the race, and wins it.
    first?.connected();
    expect(await result).toBe(first);
    await closed(second as Connection);
    clock.advance(10_000);
    expect(all).toHaveLength(2);
    expect(first?.closed).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it("does not wait out the delay when an attempt fails", async () => {
    const { clock, started, result } = start(2);
    refuse(await started.next());
    const second = await started.next();
    expect(clock.now()).toBe(0);
    second.connected();
    expect(await result).toBe(second);
    expect(clock.timers).toBe(0);
  });

  it("gives every attempt's error when all fail, in the order in which they failed", async () => {
    const { clock, all, result } = start(3);
    clock.advance(500);
    const failed = result.catch((error: unknown) => error);
    refuse(all[2] as Connection);
    await closed(all[2] as Connection);
    all[0]?.destroy({ kind: "aborted", cause: new Error("no route") });
    await closed(all[0] as Connection);
    refuse(all[1] as Connection);
    expect(await failed).toMatchObject({
      errors: [
        { code: "connection-refused", message: "nobody listens on 10.0.0.3:80" },
        { code: "connect-failed", message: "cannot connect to 10.0.0.1:80: no route" },
        { code: "connection-refused", message: "nobody listens on 10.0.0.2:80" },
      ],
    });
    expect(clock.timers).toBe(0);
  });

  it("destroys every attempt when it is stopped, and says which had not answered", async () => {
    const { clock, stop, all, result } = start(3);
    clock.advance(250);
    stop.abort();
    await expect(result).rejects.toMatchObject({
      errors: [{ message: "no answer from 10.0.0.1:80" }, { message: "no answer from 10.0.0.2:80" }],
    });
    await Promise.all(all.map((connection) => closed(connection)));
    expect(all).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });

  it("tries nothing when it is stopped before it begins", async () => {
    const clock = fakeClock();
    const never = (): Connection => {
      throw new Error("must not be called");
    };
    const addresses = [{ kind: "tcp", host: "10.0.0.1", port: 80 }] as const;
    const result = race({ addresses, start: never, delay: 250, clock, signal: AbortSignal.abort() });
    await expect(result).rejects.toMatchObject({ errors: [] });
    expect(clock.timers).toBe(0);
  });
});
