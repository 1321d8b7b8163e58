import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { connect, DeadlineTimer, listen } from "../src/index.ts";
import type { Connection } from "../src/index.ts";
import { fakeClock, pair, splitEvery } from "../src/testing/index.ts";
import { closed, eventNames, joined, rawClient, readAll } from "./support.ts";

describe("a connection that ends in good order", () => {
  it("has data, end and close, once each, and its reason tells who ended first", async () => {
    const { listener, client, server } = await joined();
    await using _ = listener;
    const names = eventNames(server);
    client.write("hello");
    client.end();
    expect((await closed(server)).kind).toBe("ended");
    expect((await closed(client)).kind).toBe("local");
    expect(names).toEqual(["data", "end", "close"]);
  });

  it("sees the end even when nobody listens for data (no leak in CLOSE_WAIT)", async () => {
    const { listener, client, server } = await joined();
    await using _ = listener;
    client.write("nobody reads this");
    client.end();
    expect((await closed(server)).kind).toBe("ended");
  });

  it("delivers what is written in the end handler", async () => {
    await using listener = await listen();
    listener.on("connection", (connection) => connection.on("end", () => connection.write("the last word")));
    const client = await connect({ port: listener.port });
    client.end();
    expect(await readAll(client)).toBe("the last word");
  });

  it("keeps our side open after the peer's end where half-open is allowed", async () => {
    const { listener, client, server } = await joined({ allowHalfOpen: true });
    await using _ = listener;
    client.end();
    await once(server, "end");
    expect(server.writable).toBe(true);
    server.write("still here");
    setImmediate(() => server.end());
    expect(await readAll(client)).toBe("still here");
    expect((await closed(server)).kind).toBe("ended");
  });
});

describe("a connection that fails", () => {
  it("reports a reset as error then close, without an end, and the process lives without a listener", async () => {
    const { listener, server } = await joined();
    await using _ = listener;
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const raw = await rawClient(listener.port);
    const [victim] = await accepted;
    const names = eventNames(victim);
    raw.resetAndDestroy();
    const reason = await closed(victim);
    expect(reason.kind).toBe("reset");
    expect(names).toEqual(["error", "close"]);
    expect(server.closed).toBe(false);
  });

  it("ends alone when a listener throws, now or later", async () => {
    await using listener = await listen();
    const reasons: unknown[] = [];
    listener.on("connection", (connection) => {
      connection.on("error", (error) => reasons.push(error.code));
      // oxlint-disable-next-line typescript/no-misused-promises -- exactly what this test is about
      connection.on("data", async (chunk) => {
        if (String(chunk) === "now") throw new Error("a bug");
        await Promise.resolve();
        if (String(chunk) === "later") throw new Error("a bug, later");
      });
      connection.on("data", (chunk) => {
        if (String(chunk) === "sync") throw new Error("a bug in a plain listener");
      });
    });
    const bystander = await connect({ port: listener.port });
    for (const word of ["now", "later", "sync"]) {
      const client = await connect({ port: listener.port });
      client.write(word);
      await closed(client);
    }
    expect(reasons).toEqual(["handler-failed", "handler-failed", "handler-failed"]);
    expect(bystander.closed).toBe(false);
  });

  it("ends alone when the connection handler throws", async () => {
    await using listener = await listen();
    let count = 0;
    listener.on("connection", (connection) => {
      connection.on("error", () => {});
      count += 1;
      if (count === 1) throw new Error("a bug");
      connection.write("fine");
    });
    const first = await connect({ port: listener.port });
    await closed(first);
    const second = await connect({ port: listener.port });
    const [chunk] = (await once(second, "data")) as [Buffer];
    expect(String(chunk)).toBe("fine");
  });

  it("closes exactly once, with the reason that came first", async () => {
    const { client, server } = pair();
    let closes = 0;
    server.on("close", () => (closes += 1));
    server.destroy({ kind: "timeout" });
    server.destroy({ kind: "local" });
    server.close();
    expect((await closed(server)).kind).toBe("timeout");
    await closed(client);
    expect(closes).toBe(1);
  });

  it("says reset, not ended, when the peer ends and then resets while we still answer", async () => {
    await using listener = await listen({ allowHalfOpen: true });
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const raw = await rawClient(listener.port);
    const [server] = await accepted;
    raw.end();
    await once(server, "end");
    raw.resetAndDestroy();
    while (server.write(Buffer.alloc(65_536)) || server.writable) await new Promise(setImmediate);
    expect((await closed(server)).kind).toBe("reset");
  });

  it("says reset, not local, when the peer resets after our end", async () => {
    const { listener } = await joined();
    await using _ = listener;
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const raw = await rawClient(listener.port);
    const [server] = await accepted;
    server.end();
    await once(raw.resume(), "end");
    raw.resetAndDestroy();
    expect((await closed(server)).kind).toBe("reset");
  });
});

describe("write", () => {
  it("throws after our own end, and only says false after the peer went", async () => {
    const { client, server } = pair();
    client.end();
    expect(() => client.write("too late")).toThrow(expect.objectContaining({ code: "write-after-end" }));
    await closed(server);
    expect(server.write("to nobody")).toBe(false);
  });

  it("returns false over the high-water mark, and drain comes when our buffer has emptied", async () => {
    const { listener, client, server } = await joined();
    await using _ = listener;
    client.pause();
    let writes = 0;
    while (server.write(Buffer.alloc(65_536))) writes += 1;
    expect(writes).toBeLessThan(1000);
    expect(server.congested).toBe(true);
    client.resume();
    await once(server, "drain");
    expect(server.bytesBuffered).toBe(0);
    client.destroy();
  });

  it("sends several pieces in order", async () => {
    const { client, server } = pair();
    server.writeAll(["caf\xe9 ", Buffer.from("and bytes")]);
    server.end();
    const chunks: Buffer[] = [];
    client.on("data", (chunk) => chunks.push(chunk));
    await once(client, "end");
    expect(Buffer.concat(chunks).toString("latin1")).toBe("caf\xe9 and bytes");
  });
});

describe("timeout", () => {
  it("is a notification that any byte puts off, and closes nothing", () => {
    const clock = fakeClock();
    const timer = new DeadlineTimer(clock);
    const { client, server } = pair({ connection: { timer } });
    const names = eventNames(server);
    server.setTimeout(1000);
    for (let count = 0; count < 10; count++) {
      clock.advance(900);
      server.write("x");
    }
    expect(names).toEqual([]);
    clock.advance(1500);
    expect(names).toEqual(["timeout"]);
    expect(server.writable).toBe(true);
    client.destroy();
  });
});

describe("close", () => {
  it("lets the last words arrive although the peer is still sending", async () => {
    await using listener = await listen();
    listener.on("connection", (connection) => {
      connection.once("data", () => {
        connection.write("goodbye");
        connection.close();
      });
    });
    const raw = await rawClient(listener.port);
    raw.write(Buffer.alloc(1_000_000));
    const text = readAll(raw);
    expect(await text).toBe("goodbye");
    raw.end();
  });

  it("destroys the connection of a peer that never ends, after the linger time", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ connection: { timer: new DeadlineTimer(clock), allowHalfOpen: true } });
    server.close({ kind: "local" }, 2000);
    await once(client, "end");
    expect(server.closed).toBe(false);
    clock.advance(3000);
    expect((await closed(server)).kind).toBe("local");
  });
});

describe("pair", () => {
  it("cuts the bytes as the fault says", async () => {
    const { client, server } = pair({ faults: splitEvery(2) });
    const chunks: string[] = [];
    server.on("data", (chunk) => chunks.push(String(chunk)));
    client.write("hello");
    client.end();
    await once(server, "end");
    expect(chunks).toEqual(["he", "ll", "o"]);
  });
});
