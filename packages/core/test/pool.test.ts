import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { ConnectionPool, DeadlineTimer, listen } from "../src/index.ts";
import type { ConnectOptions, Connection, PoolOptions } from "../src/index.ts";
import { fakeClock, pair } from "../src/testing/index.ts";
import { freePort, Mailbox } from "./client-support.ts";
import { closed } from "./support.ts";

/** A pool whose connections are pairs in memory, on a fake clock. */
function memoryPool(options: PoolOptions = {}) {
  const clock = fakeClock();
  const timer = new DeadlineTimer(clock);
  const servers: Connection[] = [];
  const made: ConnectOptions[] = [];
  const connect = (options: ConnectOptions): Promise<Connection> => {
    const { client, server } = pair({ connection: { timer } });
    servers.push(server);
    made.push(options);
    return Promise.resolve(client);
  };
  return { clock, servers, made, pool: new ConnectionPool({ connect, timer, ...options }) };
}

/** A `connect` whose connections the test makes, or not, when it likes; aborts as the real one does. */
function slowConnect() {
  const calls = new Mailbox<PromiseWithResolvers<Connection>>();
  const connect = ({ signal }: ConnectOptions): Promise<Connection> => {
    const call = Promise.withResolvers<Connection>();
    signal?.addEventListener("abort", () => call.reject(new Error("aborted")));
    calls.put(call);
    return call.promise;
  };
  return { calls, connect };
}

const here = { port: 1 };

describe("a pool", () => {
  it("uses a released connection again, the one released last first", async () => {
    const { pool, made } = memoryPool();
    const one = await pool.acquire(here);
    const two = await pool.acquire(here);
    expect(two.connection).not.toBe(one.connection);
    two.release();
    one.release();
    const again = [await pool.acquire(here), await pool.acquire(here)];
    expect(again.map(({ connection }) => connection)).toEqual([one.connection, two.connection]);
    expect(made).toMatchObject([{ host: "127.0.0.1", port: 1, deadline: 10_000 }, {}]);
    expect(made).toHaveLength(2);
    for (const lease of again) lease.release();
    await pool.close();
  });

  it("keeps addresses apart: port, host and path", async () => {
    const { pool, made } = memoryPool();
    for (const target of [{ port: 1 }, { port: 2 }, { port: 1, host: "::1" }, { path: "/tmp/socket" }]) {
      (await pool.acquire(target)).release();
    }
    expect(made).toHaveLength(4);
    expect(made[3]).toMatchObject({ path: "/tmp/socket" });
    // A default is the same address as its value written out.
    (await pool.acquire({ port: 2, host: "127.0.0.1" })).release();
    expect(made).toHaveLength(4);
    await pool.close();
  });

  it("makes no more than the maximum, and serves who waits in turn", async () => {
    const { pool, made, clock } = memoryPool({ maxPerAddress: 2 });
    const leases = [await pool.acquire(here), await pool.acquire(here)];
    const served: string[] = [];
    const wait = async (name: string): Promise<void> => {
      const lease = await pool.acquire(here);
      served.push(name);
      lease.release();
    };
    const all = Promise.all(["first", "second", "third"].map((name) => wait(name)));
    expect(made).toHaveLength(2);
    leases[0]?.release();
    await all;
    expect(served).toEqual(["first", "second", "third"]);
    expect(made).toHaveLength(2);
    leases[1]?.release();
    await pool.close();
    expect(clock.timers).toBe(0);
  });

  it("makes a new one for who waits when a leased one is destroyed, or closes by itself", async () => {
    const { pool, made, servers } = memoryPool({ maxPerAddress: 1 });
    const first = await pool.acquire(here);
    const second = pool.acquire(here);
    first.destroy();
    const third = pool.acquire(here);
    expect((await second).connection).not.toBe(first.connection);
    servers[1]?.destroy();
    const { connection } = await third;
    expect(connection.writable).toBe(true);
    expect(made).toHaveLength(3);
    (await third).release();
    (await second).release();
    await pool.close();
  });

  it("destroys what a `using` scope leaves without release", async () => {
    const { pool } = memoryPool();
    let used: Connection | undefined;
    await expect(
      (async () => {
        using lease = await pool.acquire(here);
        used = lease.connection;
        throw new Error("the reply made no sense");
      })(),
    ).rejects.toThrow("no sense");
    expect(used?.closeReason?.kind).toBe("aborted");
    {
      using lease = await pool.acquire(here);
      used = lease.connection;
      lease.release();
    }
    expect(used.closeReason).toBeUndefined();
    await pool.close();
  });

  it("takes a lease back once: a second release gives nobody else's connection away", async () => {
    const { pool, made } = memoryPool({ maxPerAddress: 1 });
    const lease = await pool.acquire(here);
    lease.release();
    const next = await pool.acquire(here);
    lease.release();
    lease.destroy();
    expect(next.connection.writable).toBe(true);
    const third = pool.acquire(here);
    next.release();
    (await third).release();
    expect(made).toHaveLength(1);
    await pool.close();
  });
});

describe("an idle connection", () => {
  it("is closed after the idle time, and not while it is used", async () => {
    const { pool, clock } = memoryPool({ idleTimeout: 1000 });
    const used = await pool.acquire(here);
    const idle = await pool.acquire(here);
    idle.release();
    used.release();
    expect((await pool.acquire(here)).connection).toBe(used.connection);
    clock.advance(1500);
    expect((await closed(idle.connection)).kind).toBe("local");
    expect(used.connection.closed).toBe(false);
    expect(clock.timers).toBe(0);
    used.connection.destroy();
    await pool.close();
  });

  const spoilers: Record<string, (server: Connection) => void> = {
    "says something unasked": (server) => server.write("HTTP/1.1 408 Request Timeout\r\n"),
    "is half-closed by the peer": (server) => server.end(),
    "is reset": (server) => server.destroy(),
  };
  for (const [name, spoil] of Object.entries(spoilers)) {
    it(`is dropped when it ${name}`, async () => {
      const { pool, clock, servers, made } = memoryPool({ maxPerAddress: 1 });
      const lease = await pool.acquire(here);
      lease.connection.allowHalfOpen = true;
      lease.release();
      spoil(servers[0] as Connection);
      await closed(lease.connection);
      expect(clock.timers).toBe(0);
      const next = await pool.acquire(here);
      expect(next.connection).not.toBe(lease.connection);
      expect(made).toHaveLength(2);
      next.release();
      await pool.close();
    });
  }

  it("was read up to its end while leased, though nobody resumed it", async () => {
    const { pool, servers } = memoryPool();
    const lease = await pool.acquire(here);
    lease.connection.pause();
    servers[0]?.write("too much");
    lease.release();
    expect((await closed(lease.connection)).kind).toBe("protocol");
    await pool.close();
  });
});

describe("a lease that comes back spoilt", () => {
  const spoilers: Record<string, (client: Connection, server: Connection) => unknown> = {
    "our side ended": (client) => client.end(),
    "the peer ended": async (client, server) => {
      client.allowHalfOpen = true;
      server.end();
      await new Promise<void>((resolve) => client.once("end", resolve));
    },
    "it is closed": async (client, server) => {
      server.destroy();
      await closed(client);
    },
  };
  for (const [name, spoil] of Object.entries(spoilers)) {
    it(`is not used again: ${name}`, async () => {
      const { pool, servers, made } = memoryPool({ maxPerAddress: 1 });
      const lease = await pool.acquire(here);
      await spoil(lease.connection, servers[0] as Connection);
      lease.release();
      const next = await pool.acquire(here);
      expect(next.connection).not.toBe(lease.connection);
      expect(made).toHaveLength(2);
      next.release();
      await pool.close();
    });
  }
});

describe("who waits", () => {
  it("gives up at the deadline, its own or the pool's, and is not served later", async () => {
    const { pool, clock } = memoryPool({ maxPerAddress: 1, deadline: 2000 });
    const lease = await pool.acquire(here);
    const impatient = pool.acquire({ ...here, deadline: 500 }).catch((error: unknown) => error);
    const patient = pool.acquire(here).catch((error: unknown) => error);
    clock.advance(800);
    expect(await impatient).toMatchObject({
      code: "connect-timeout",
      message: "no free connection to 127.0.0.1:1 within 500 ms",
    });
    clock.advance(2000);
    expect(await patient).toMatchObject({ code: "connect-timeout" });
    expect(clock.timers).toBe(0);
    lease.release();
    expect((await pool.acquire(here)).connection).toBe(lease.connection);
    lease.connection.destroy();
    await pool.close();
  });

  it("gives up when its signal aborts: before, while it waits, while it connects", async () => {
    const { calls, connect } = slowConnect();
    const clock = fakeClock();
    const pool = new ConnectionPool({ connect, maxPerAddress: 1, timer: new DeadlineTimer(clock) });
    const reason = new Error("enough");
    const aborted = { code: "aborted", cause: reason };
    await expect(pool.acquire({ ...here, signal: AbortSignal.abort(reason) })).rejects.toMatchObject(aborted);
    const stop = new AbortController();
    const connecting = pool.acquire({ ...here, signal: stop.signal });
    const waiting = pool.acquire({ ...here, signal: stop.signal });
    const bystander = pool.acquire(here);
    await calls.next();
    stop.abort(reason);
    await expect(connecting).rejects.toMatchObject(aborted);
    await expect(waiting).rejects.toMatchObject(aborted);
    // The place is free again.
    const { client } = pair();
    (await calls.next()).resolve(client);
    const lease = await bystander;
    expect(lease.connection).toBe(client);
    lease.destroy();
    await pool.close();
    expect(clock.timers).toBe(0);
  });

  it("lets go of its signal once it has its connection: a later abort does nothing to that", async () => {
    const { pool } = memoryPool();
    const stop = new AbortController();
    const lease = await pool.acquire({ ...here, signal: stop.signal });
    expect(getEventListeners(stop.signal, "abort")).toHaveLength(0);
    stop.abort();
    expect(lease.connection.closeReason).toBeUndefined();
    lease.release();
    await pool.close();
  });

  it("gets its own connection's error, and the next one tries for itself", async () => {
    const { calls, connect } = slowConnect();
    const pool = new ConnectionPool({ connect, maxPerAddress: 1 });
    const unlucky = pool.acquire(here);
    const lucky = pool.acquire(here);
    (await calls.next()).reject(new Error("refused"));
    await expect(unlucky).rejects.toThrow("refused");
    const { client } = pair();
    (await calls.next()).resolve(client);
    (await lucky).release();
    await pool.close();
    expect(client.closed).toBe(true);
  });

  it("is not handed a connection that closed before its first use", async () => {
    const { client } = pair();
    client.destroy();
    await closed(client);
    const pool = new ConnectionPool({ connect: () => Promise.resolve(client) });
    await expect(pool.acquire(here)).rejects.toMatchObject({ code: "closed" });
    await pool.close();
  });

  it("leaves a connection that comes too late to the next one", async () => {
    const { client } = pair();
    const late = Promise.withResolvers<Connection>();
    const clock = fakeClock();
    // This connect does not heed its signal.
    const pool = new ConnectionPool({ connect: () => late.promise, timer: new DeadlineTimer(clock) });
    const gone = pool.acquire(here).catch((error: unknown) => error);
    clock.advance(10_500);
    expect(await gone).toMatchObject({ code: "connect-timeout" });
    late.resolve(client);
    const lease = await pool.acquire(here);
    expect(lease.connection).toBe(client);
    lease.release();
    await pool.close();
  });
});

describe("close", () => {
  it("turns away who waits and who comes, closes what is idle, and lets leased ones finish", async () => {
    const { pool, clock } = memoryPool({ maxPerAddress: 2 });
    const lease = await pool.acquire(here);
    const idle = await pool.acquire(here);
    const other = await pool.acquire({ port: 2 });
    const second = await pool.acquire({ port: 2 });
    const waiting = pool.acquire({ port: 2 }).catch((error: unknown) => error);
    idle.release();
    let done = false;
    const closing = pool.close().then(() => (done = true));
    expect(await waiting).toMatchObject({ code: "closed" });
    await expect(pool.acquire(here)).rejects.toMatchObject({ code: "closed" });
    expect((await closed(idle.connection)).kind).toBe("local");
    other.release();
    second.release();
    expect(lease.connection.writable).toBe(true);
    expect(done).toBe(false);
    lease.release();
    await closing;
    expect(lease.connection.closed).toBe(true);
    await pool.close();
    expect(clock.timers).toBe(0);
  });

  it("gives up what is being made", async () => {
    const { calls, connect } = slowConnect();
    const pool = new ConnectionPool({ connect });
    const acquiring = pool.acquire(here).catch((error: unknown) => error);
    await calls.next();
    await pool.close();
    expect(await acquiring).toMatchObject({ code: "closed" });
  });

  it("destroys what is not released by its deadline", async () => {
    const { pool, clock } = memoryPool();
    const forgotten = await pool.acquire(here);
    const closing = pool.close({ deadline: 1000 });
    clock.advance(1500);
    await closing;
    expect(forgotten.connection.closeReason?.kind).toBe("aborted");
    forgotten.release();
    expect(clock.timers).toBe(0);
  });
});

describe("a pool over loopback", () => {
  it("serves a hundred requests over two connections", async () => {
    await using listener = await listen();
    let accepted = 0;
    listener.on("connection", (connection) => {
      accepted += 1;
      connection.on("data", (chunk) => connection.write(chunk));
    });
    await using pool = new ConnectionPool({ maxPerAddress: 2 });
    const ask = async (question: string): Promise<string> => {
      using lease = await pool.acquire({ port: listener.port });
      const { connection } = lease;
      const answer = new Promise<string>((resolve) => {
        connection.once("data", (chunk) => resolve(String(chunk)));
      });
      connection.write(question);
      const text = await answer;
      lease.release();
      return text;
    };
    const questions = Array.from({ length: 100 }, (_, index) => `question ${index}`);
    expect(await Promise.all(questions.map((question) => ask(question)))).toEqual(questions);
    expect(accepted).toBe(2);
  });

  it("passes on why connecting failed", async () => {
    await using pool = new ConnectionPool();
    const port = await freePort();
    await expect(pool.acquire({ port })).rejects.toMatchObject({ code: "connection-refused" });
    await expect(pool.acquire({})).rejects.toMatchObject({ code: "bad-option" });
    expect(() => new ConnectionPool({ maxPerAddress: 0 })).toThrow(/maxPerAddress/);
  });
});
