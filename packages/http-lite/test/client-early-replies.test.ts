// Replies that come while the server does not take the request: they are heard, in every way a body is given.
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { DeadlineTimer, listen } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";
import { fakeClock, pair } from "@tcpkit/core/testing";
import type { FakeClock } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { HttpClient } from "../src/index.ts";
import type { HttpClientOptions } from "../src/index.ts";
import { okWith } from "./client-support.ts";

/** More than the kernel's buffers hold. */
const LARGE = 60_000_000;
const TOO_LARGE = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 8\r\n\r\ntoo much";

/** A client over TCP, and a server that reads when a test says so. */
interface Played extends AsyncDisposable {
  readonly client: HttpClient;
  readonly clock: FakeClock;
  /** Resolves with the server's end of the next connection once the first bytes have come; it reads no more then. */
  next(): Promise<Connection>;
}

async function played(options: HttpClientOptions = {}): Promise<Played> {
  const clock = fakeClock();
  const listener = await listen({ allowHalfOpen: true });
  const client = new HttpClient({ port: listener.port, timer: new DeadlineTimer(clock), ...options });
  const next = async (): Promise<Connection> => {
    const [connection] = (await once(listener, "connection")) as [Connection];
    connection.on("error", () => {});
    await once(connection, "data");
    connection.pause();
    return connection;
  };
  const end = async (): Promise<void> => {
    const closed = client.close({ deadline: 0 });
    clock.advance(3000);
    await closed;
    await listener.close({ deadline: 0 });
  };
  return { client, clock, next, [Symbol.asyncDispose]: end };
}

/** Resolves when the server has got so much in all. */
async function read(connection: Connection, bytes: number): Promise<void> {
  connection.resume();
  while (connection.bytesReceived < bytes) await once(connection, "data");
}

/** A body without an end, and whether it was stopped. */
function endless() {
  const over = Promise.withResolvers<string>();
  const body = (async function* () {
    try {
      for (;;) yield await Promise.resolve(Buffer.alloc(65_536));
    } finally {
      over.resolve("stopped");
    }
  })();
  return { body, over: over.promise };
}

describe("a refusal in the middle of an upload, by a server that reads no more", () => {
  it("ends a body of pieces", async () => {
    await using play = await played();
    const { body, over } = endless();
    const asked = play.client.request({ method: "POST", body });
    const server = await play.next();
    server.write(TOO_LARGE);
    const reply = await asked;
    expect(reply.status).toBe(413);
    expect(await reply.text()).toBe("too much");
    expect(await over).toBe("stopped");
    // What the server does not take does not hold up the client.
    const closed = play.client.close();
    play.clock.advance(3000);
    await closed;
  });

  it.each([
    ["a large body", {}],
    ["a large body that was waited for", { Expect: "100-continue" }],
  ])("ends %s", async (_name, headers) => {
    await using play = await played();
    const body = Buffer.alloc(LARGE);
    const asked = play.client.request({ method: "POST", headers, body });
    const server = await play.next();
    server.write("HTTP/1.1 100 Continue\r\n\r\n");
    await setImmediate();
    server.write(TOO_LARGE);
    const reply = await asked;
    expect(reply.status).toBe(413);
    expect(await reply.text()).toBe("too much");
    const closed = play.client.close();
    play.clock.advance(3000);
    await closed;
  });
});

describe("an early reply that keeps the connection", () => {
  it("leaves a large body its time: the next request goes out when the server has taken it", async () => {
    await using play = await played({ maxConnections: 1, deadlines: { write: 300_000 } });
    const body = Buffer.alloc(LARGE, "x");
    const asked = play.client.request({ method: "PUT", body });
    const server = await play.next();
    server.write(okWith("early"));
    expect(await (await asked).text()).toBe("early");
    const waits = play.client.request({ path: "/next" });
    await setImmediate();
    expect(server.bytesReceived).toBeLessThan(LARGE);
    // It is the pool that it waits in, not the connection's buffer: so its time is that of the queue.
    play.clock.advance(40_000);
    await expect(waits).rejects.toMatchObject({ code: "timeout", deadline: "queue" });
    const next = play.client.request({ path: "/next" });
    await read(server, LARGE + 100);
    server.write(okWith("next"));
    expect(await (await next).text()).toBe("next");
  });

  it("is not asked for again, though the server goes away before it has taken all", async () => {
    await using play = await played({ maxConnections: 1 });
    const first = play.client.request({});
    const server = await play.next();
    server.write(okWith("first"));
    expect(await (await first).text()).toBe("first");
    const heard = once(server, "data");
    const asked = play.client.request({ method: "PUT", body: Buffer.alloc(LARGE) });
    server.resume();
    await heard;
    server.pause();
    server.write(okWith("early"));
    expect(await (await asked).text()).toBe("early");
    const another = play.next();
    server.reset();
    // The next connection is the next request's.
    const third = play.client.request({ path: "/third" });
    const connection = await another;
    expect(connection.bytesReceived).toBeLessThan(100);
    connection.write(okWith("third"));
    expect(await (await third).text()).toBe("third");
  });
});

it("a reply that nobody reads holds the server back, though the request is held up as well", async () => {
  const { client: ours, server } = pair();
  const client = new HttpClient({ connect: () => Promise.resolve(ours) });
  server.pause();
  const asked = client.request({ method: "POST", body: endless().body });
  while (!ours.congested) await setImmediate();
  server.write("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n");
  await asked;
  for (let count = 0; count < 100; count++) {
    server.write(Buffer.alloc(10_000));
    await setImmediate();
  }
  expect(server.congested).toBe(true);
  expect(ours.bytesReceived).toBeLessThan(300_000);
  await client.close({ deadline: 0 });
});

it("the time for a reply begins when the server has taken all of a large body", async () => {
  await using play = await played({ deadlines: { head: 1000, write: 300_000 } });
  const asked = play.client.request({ method: "POST", body: Buffer.alloc(LARGE, "x") });
  const server = await play.next();
  play.clock.advance(60_000);
  await read(server, LARGE + 20);
  play.clock.advance(900);
  server.write(okWith("slow"));
  expect(await (await asked).text()).toBe("slow");
});
