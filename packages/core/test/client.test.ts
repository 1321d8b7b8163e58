import { getEventListeners, once } from "node:events";
import { describe, expect, it } from "vitest";
import { connect, EventLog, listen, open, TcpError } from "../src/index.ts";
import type { ConnectOptions } from "../src/index.ts";
import { fakeClock } from "../src/testing/index.ts";
import { freePort, hasIPv6 } from "./client-support.ts";
import { closed } from "./support.ts";

const both = [
  { address: "::1", family: 6 },
  { address: "127.0.0.1", family: 4 },
];
const lookup = (): Promise<typeof both> => Promise.resolve(both);
const ipv6 = await hasIPv6();
if (!ipv6) {
  if (process.env["CI"] !== undefined)
    throw new Error("no IPv6 on loopback: the tests of both families need it");
  console.warn("no IPv6 on loopback: one test is skipped");
}

async function failure(options: ConnectOptions): Promise<TcpError> {
  try {
    await connect(options);
  } catch (error) {
    if (error instanceof TcpError) return error;
    throw error;
  }
  throw new Error("connected, against expectation");
}

describe("connect, given a name with several addresses", () => {
  it("takes the one that answers, and its `remote` tells which", async () => {
    const clock = fakeClock();
    await using listener = await listen();
    // Nobody listens on ::1, so that the second address comes at once: the fake clock stands still.
    const client = await connect({ host: "both.example", port: listener.port, lookup, clock });
    expect(client.remote).toEqual({ kind: "tcp", host: "127.0.0.1", port: listener.port });
    expect(clock.timers).toBe(0);
    client.end();
    expect((await closed(client)).kind).toBe("local");
  });

  it.skipIf(!ipv6)("prefers the resolver's first, IPv6 here", async () => {
    await using listener = await listen({ host: "::1" });
    const client = await connect({ host: "both.example", port: listener.port, lookup });
    expect(client.remote).toMatchObject({ host: "::1" });
    client.end();
    await closed(client);
  });

  it("gives every attempt's error, and the log has every attempt", async () => {
    const tap = new EventLog();
    const closes: number[] = [];
    tap.read((record) => {
      if (record.kind === "close") closes.push(record.conn);
    });
    const port = await freePort();
    const error = await failure({ host: "both.example", port, lookup, tap });
    expect(error).toMatchObject({ blame: "remote", cause: expect.any(AggregateError) });
    const { errors } = error.cause as AggregateError;
    expect(errors).toHaveLength(2);
    expect(errors.every((one) => one instanceof TcpError)).toBe(true);
    expect(error.message).toContain(`[::1]:${port}; `);
    expect(error.message).toContain(`nobody listens on 127.0.0.1:${port}`);
    expect(new Set(closes).size).toBe(2);
  });
});

describe("connect that fails", () => {
  it("has one refused attempt's own message and code", async () => {
    const port = await freePort();
    const error = await failure({ port });
    expect(error).toMatchObject({
      code: "connection-refused",
      message: `nobody listens on 127.0.0.1:${port}`,
      cause: { errors: [{ code: "connection-refused", cause: { code: "ECONNREFUSED" } }] },
    });
  });

  it("says so when the name has no address, or the look-up fails", async () => {
    const none = await failure({ host: "none.example", port: 1, lookup: () => Promise.resolve([]) });
    expect(none).toMatchObject({ code: "connect-failed", message: expect.stringContaining("none.example") });
    const cause = new Error("getaddrinfo ENOTFOUND");
    const failed = await failure({ host: "none.example", port: 1, lookup: () => Promise.reject(cause) });
    expect(failed).toMatchObject({ code: "connect-failed", blame: "remote", cause });
  });

  it("counts a look-up that does not answer against the deadline", async () => {
    const clock = fakeClock();
    const hangs = (): Promise<never> => new Promise(() => {});
    const failed = failure({ host: "slow.example", port: 80, deadline: 500, lookup: hangs, clock });
    clock.advance(500);
    expect(await failed).toMatchObject({
      code: "connect-timeout",
      message: "no connection to slow.example:80 within 500 ms",
      cause: { errors: [{ message: "no answer to the look-up of slow.example" }] },
    });
    expect(clock.timers).toBe(0);
  });

  it("is aborted by its signal: before, during the look-up, and while attempts run", async () => {
    const clock = fakeClock();
    const reason = new Error("enough");
    expect(await failure({ port: 1, clock, signal: AbortSignal.abort(reason) })).toMatchObject({
      code: "aborted",
      cause: reason,
    });
    const during = new AbortController();
    const waiting = failure({
      host: "slow.example",
      port: 1,
      clock,
      signal: during.signal,
      lookup: () => new Promise(() => {}),
    });
    during.abort(reason);
    expect(await waiting).toMatchObject({ code: "aborted", cause: reason });
    await using listener = await listen();
    const later = new AbortController();
    const racing = failure({ port: listener.port, clock, signal: later.signal });
    later.abort(reason);
    expect(await racing).toMatchObject({ code: "aborted", cause: reason });
    expect(clock.timers).toBe(0);
  });

  it("refuses a bad port, and options without a port", async () => {
    for (const port of [-1, 65_536, 1.5, undefined]) {
      expect(await failure({ port })).toMatchObject({ code: "bad-option" });
    }
  });
});

describe("a connected client's signal", () => {
  it("still destroys the connection", async () => {
    await using listener = await listen();
    const stop = new AbortController();
    const client = await connect({ port: listener.port, signal: stop.signal });
    stop.abort();
    expect(await closed(client)).toMatchObject({ kind: "aborted", cause: { code: "aborted" } });
  });

  it("is let go of when the connection has closed, or was never made", async () => {
    await using listener = await listen();
    const { signal } = new AbortController();
    const clients = [await connect({ port: listener.port, signal }), open({ port: listener.port, signal })];
    expect(getEventListeners(signal, "abort")).toHaveLength(2);
    for (const client of clients) client.destroy();
    await Promise.all(clients.map((client) => closed(client)));
    await failure({ port: await freePort(), signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("open", () => {
  it("has a deadline for connecting only", async () => {
    const clock = fakeClock();
    await using listener = await listen();
    const client = open({ port: listener.port, deadline: 500, clock });
    await once(client, "connect");
    expect(clock.timers).toBe(0);
    client.end();
    expect((await closed(client)).kind).toBe("local");
  });

  it("is closed with reason timeout at its deadline, and leaves no timer", async () => {
    const clock = fakeClock();
    await using listener = await listen();
    const client = open({ port: listener.port, deadline: 500, clock });
    // Before the event loop turns, no handshake can have been seen.
    clock.advance(500);
    expect(await closed(client)).toMatchObject({ kind: "timeout", deadline: "connect" });
    expect(clock.timers).toBe(0);
  });
});
