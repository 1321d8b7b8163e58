// Connection.limitWriteStall: a peer that takes a large write bit by bit lives, one that takes nothing does not.
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { DeadlineTimer } from "../src/index.ts";
import type { Connection, TlsOptions } from "../src/index.ts";
import { fakeClock, pair } from "../src/testing/index.ts";
import { ca, identity } from "./certificates.ts";
import { closed, joined } from "./support.ts";

const MEBI = 1024 * 1024;
/** When so much was read, the kernel has room again, and has taken more. */
const STEP = 12 * MEBI;

const tls: TlsOptions = identity("one.test");
const trust = { ca, servername: "one.test" };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function read(connection: Connection, bytes: number): Promise<void> {
  const until = connection.bytesReceived + bytes;
  connection.resume();
  while (connection.bytesReceived < until) await once(connection, "data");
  connection.pause();
}

describe("a write stall", () => {
  it.each(["plain TCP", "TLS from the start", "STARTTLS"])("over %s", async (how) => {
    const clock = fakeClock();
    const timer = new DeadlineTimer(clock);
    const atOnce = how === "TLS from the start";
    const client = atOnce ? { tls: trust, timer } : { timer };
    const { listener, server, client: sender } = await joined({ ...(atOnce && { tls }), client });
    if (how === "STARTTLS") {
      await Promise.all([server.startTls("server", tls), sender.startTls("client", trust)]);
    }
    expect(sender.tls === undefined).toBe(how === "plain TCP");
    server.pause();
    sender.write(Buffer.alloc(5 * STEP));
    sender.limitWriteStall(1000);
    for (let count = 0; count < 4; count++) {
      await read(server, STEP);
      clock.advance(900);
      expect(sender.closeReason).toBeUndefined();
    }
    clock.advance(1000);
    expect(sender.closeReason).toMatchObject({ kind: "timeout", deadline: "write" });
    await closed(sender);
    server.destroy();
    await listener.close();
  });

  it("is none while there is nothing to take", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ clock });
    client.limitWriteStall(1000);
    client.write("hello");
    await once(server, "data");
    await turn();
    clock.advance(60_000);
    expect(client.closeReason).toBeUndefined();
    client.destroy();
    await closed(client);
    expect(clock.timers).toBe(0);
  });

  it("is not waited for when its limit is turned off, nor after the end", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ clock });
    server.pause();
    while (!client.congested) client.write("x".repeat(10_000));
    client.limitWriteStall(1000);
    clock.advance(900);
    client.limitWriteStall(0);
    clock.advance(60_000);
    expect(client.closeReason).toBeUndefined();
    client.destroy();
    await closed(client);
    client.limitWriteStall(1000);
    expect(clock.timers).toBe(0);
  });
});
