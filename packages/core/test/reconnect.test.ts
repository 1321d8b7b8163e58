import { execFile } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Backoff, listen, reconnect } from "../src/index.ts";
import type { Connection, HostAddress, ReconnectOptions, Waiting } from "../src/index.ts";
import { fakeClock } from "../src/testing/index.ts";
import { freePort, Mailbox } from "./client-support.ts";
import { closed } from "./support.ts";

describe("Backoff", () => {
  it("draws each delay below a bound that doubles, up to the greatest", () => {
    const backoff = new Backoff({ random: () => 0.999 });
    const delays = Array.from({ length: 12 }, () => backoff.next());
    expect(delays.slice(0, 4)).toEqual([99, 199, 399, 799]);
    expect(delays.slice(-3)).toEqual([29_970, 29_970, 29_970]);
    backoff.reset();
    expect(backoff.next()).toBe(99);
  });

  it("has full jitter: from 0 to the bound, as the random source says", () => {
    const numbers = [0, 0.5, 0.25];
    const backoff = new Backoff({ min: 1000, max: 8000, factor: 4, random: () => numbers.shift() ?? 0 });
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([0, 2000, 2000]);
  });

  it("refuses what can never work", () => {
    for (const options of [{ min: 0 }, { min: 10, max: 5 }, { factor: 0.5 }, { max: Number.NaN }]) {
      expect(() => new Backoff(options)).toThrow(expect.objectContaining({ code: "bad-option" }));
    }
  });
});

/** A reconnector on a fake clock, whose delays are half the bound: 50, 100, 200 … ms. */
function start(options: ReconnectOptions) {
  const clock = fakeClock();
  const reconnector = reconnect({ clock, backoff: { random: () => 0.5 }, ...options });
  const connects = new Mailbox<Connection>();
  const waits = new Mailbox<Waiting>();
  const stops = new Mailbox<true>();
  reconnector.on("connect", connects.put);
  reconnector.on("waiting", waits.put);
  reconnector.on("stopped", () => stops.put(true));
  return { clock, reconnector, connects, waits, stops };
}

describe("reconnect", () => {
  it("connects, and connects again after a delay when the connection is lost", async () => {
    await using listener = await listen();
    const accepted = new Mailbox<Connection>();
    listener.on("connection", accepted.put);
    let tries = 0;
    const lookup = (): Promise<HostAddress[]> => {
      tries += 1;
      return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    };
    const target = { host: "peer.example", port: listener.port, lookup };
    const { clock, reconnector, connects, waits } = start(target);
    const first = await connects.next();
    expect(reconnector.connection).toBe(first);
    (await accepted.next()).reset();
    expect(await waits.next()).toMatchObject({
      delay: 50,
      cause: { type: "closed", reason: { kind: "reset" } },
    });
    expect(reconnector.connection).toBeUndefined();
    clock.advance(49);
    expect(tries).toBe(1);
    clock.advance(1);
    expect(tries).toBe(2);
    const second = await connects.next();
    expect(second).not.toBe(first);
    await reconnector.close();
    expect(second.closed).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it("waits longer each time while nobody listens, and tells why", async () => {
    const port = await freePort();
    const { clock, reconnector, waits } = start({ port });
    for (const delay of [50, 100, 200, 400]) {
      const waiting = await waits.next();
      expect(waiting).toMatchObject({
        delay,
        cause: { type: "connect-failed", error: { code: "connection-refused" } },
      });
      clock.advance(delay);
    }
    await reconnector.close();
    expect(clock.timers).toBe(0);
  });

  it("begins the delays anew only after a connection that lasted", async () => {
    await using listener = await listen();
    const { clock, reconnector, connects, waits } = start({ port: listener.port, resetAfter: 1000 });
    const delays: number[] = [];
    for (const lived of [999, 0, 1000, 0]) {
      const connection = await connects.next();
      clock.advance(lived);
      connection.destroy();
      const { delay } = await waits.next();
      delays.push(delay);
      clock.advance(delay);
    }
    expect(delays).toEqual([50, 100, 50, 100]);
    await reconnector.close();
  });

  it("stops once, whatever it is doing, and then never connects again", async () => {
    await using listener = await listen();
    const port = await freePort();
    const whileConnecting = start({ port: listener.port });
    await whileConnecting.reconnector.close();
    const whileConnected = start({ port: listener.port });
    await whileConnected.connects.next();
    const whileWaiting = start({ port });
    await whileWaiting.waits.next();
    for (const { reconnector, clock, connects, waits, stops } of [
      whileConnecting,
      whileConnected,
      whileWaiting,
    ]) {
      await Promise.all([reconnector.close(), reconnector.close()]);
      await reconnector.close();
      clock.advance(60_000);
      expect([connects.size, waits.size, stops.size]).toEqual([0, 0, 1]);
      expect(clock.timers).toBe(0);
    }
  });

  it("closes the connection in good order on close(): what was written arrives", async () => {
    await using listener = await listen();
    const received = new Mailbox<string>();
    listener.on("connection", (connection) => connection.on("data", (chunk) => received.put(String(chunk))));
    const { reconnector, connects } = start({ port: listener.port });
    (await connects.next()).write("the last word");
    await reconnector.close();
    expect(await received.next()).toBe("the last word");
  });

  it("is stopped by its signal: before it began, while it waits, and with the connection", async () => {
    await using listener = await listen();
    const never = start({ port: listener.port, signal: AbortSignal.abort() });
    await never.stops.next();
    expect(never.connects.size).toBe(0);

    const port = await freePort();
    const stopWaiting = new AbortController();
    const waiting = start({ port, signal: stopWaiting.signal });
    await waiting.waits.next();
    stopWaiting.abort();
    await waiting.stops.next();

    const stopConnected = new AbortController();
    const connected = start({ port: listener.port, signal: stopConnected.signal });
    const connection = await connected.connects.next();
    stopConnected.abort();
    await connected.stops.next();
    expect(connection.closeReason?.kind).toBe("aborted");
    for (const { clock } of [never, waiting, connected]) expect(clock.timers).toBe(0);
  });

  it("lets go of its signal when it has stopped", async () => {
    await using listener = await listen();
    const { signal } = new AbortController();
    const { reconnector, connects } = start({ port: listener.port, signal });
    await connects.next();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await reconnector.close();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("lets a connect listener that throws or rejects end its connection only", async () => {
    await using listener = await listen();
    const { clock, reconnector, waits } = start({ port: listener.port });
    let count = 0;
    // oxlint-disable-next-line typescript/no-misused-promises -- exactly what this test is about
    reconnector.on("connect", (connection) => {
      connection.on("error", () => {});
      count += 1;
      if (count === 1) throw new Error("a bug");
      return Promise.reject(new Error("a bug, later"));
    });
    for (const delay of [50, 100]) {
      const { cause } = await waits.next();
      expect(cause).toMatchObject({
        type: "closed",
        reason: { kind: "local", cause: { code: "handler-failed" } },
      });
      clock.advance(delay);
    }
    await reconnector.close();
  });

  it("goes on when a waiting listener throws, and warns of it", async () => {
    const { clock, reconnector, waits } = start({ port: await freePort() });
    const warned = once(process, "warning") as Promise<[Error]>;
    reconnector.once("waiting", () => {
      throw new Error("a bug in a waiting listener");
    });
    const { delay } = await waits.next();
    expect((await warned)[0].message).toBe("a bug in a waiting listener");
    clock.advance(delay);
    expect((await waits.next()).delay).toBe(100);
    await reconnector.close();
  });

  it("may be closed by a listener", async () => {
    const port = await freePort();
    const { clock, reconnector, stops } = start({ port });
    reconnector.once("waiting", () => void reconnector.close());
    await stops.next();
    clock.advance(60_000);
    expect(clock.timers).toBe(0);
  });

  it("keeps the process alive while it waits, and lets it end once closed", async () => {
    const program = `
      import { reconnect } from "./src/index.ts";
      let count = 0;
      const reconnector = reconnect({ port: ${await freePort()}, backoff: { max: 100 } });
      reconnector.on("waiting", () => {
        count += 1;
        if (count === 3) void reconnector.close();
      });
      reconnector.on("stopped", () => console.log("waited", count));`;
    const args = ["--input-type=module-typescript", "--eval", program];
    const cwd = new URL("..", import.meta.url);
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd });
    expect(stdout).toBe("waited 3\n");
  });

  it("refuses options that can never work, instead of trying for ever", () => {
    expect(() => reconnect({})).toThrow(expect.objectContaining({ code: "bad-option" }));
    expect(() => reconnect({ port: 1, backoff: { factor: 0 } })).toThrow(
      expect.objectContaining({ code: "bad-option" }),
    );
  });

  it("leaves the connection's end to close(), also when the peer never ends", async () => {
    await using listener = await listen({ allowHalfOpen: true });
    const accepted = new Mailbox<Connection>();
    listener.on("connection", accepted.put);
    const { reconnector, connects, stops } = start({ port: listener.port });
    const client = await connects.next();
    const server = await accepted.next();
    const stopping = reconnector.close();
    expect(client.writable).toBe(false);
    expect(stops.size).toBe(0);
    server.end();
    await stopping;
    expect((await closed(client)).kind).toBe("local");
    expect(stops.size).toBe(1);
  });
});
