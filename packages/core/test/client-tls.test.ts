import { getEventListeners, once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import {
  connect,
  ConnectionPool,
  EventLog,
  lineProtocol,
  listen,
  reconnect,
  serve,
  TcpError,
} from "../src/index.ts";
import type {
  Connection,
  ConnectOptions,
  EventRecord,
  Listener,
  OutgoingProxyHeader,
  ProxyHeader,
} from "../src/index.ts";
import { fakeClock } from "../src/testing/index.ts";
import { ca, identity } from "./certificates.ts";
import { freePort, Mailbox } from "./client-support.ts";
import { closed, joined } from "./support.ts";

const tls = identity("one.test");
/** Every name is this machine. */
const lookup = (): Promise<{ address: string; family: number }[]> =>
  Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
const source = { kind: "tcp", host: "192.0.2.7", port: 40_000 } as const;
const destination = { kind: "tcp", host: "198.51.100.1", port: 25 } as const;

async function failure(options: ConnectOptions): Promise<TcpError> {
  try {
    await connect(options);
  } catch (error) {
    if (error instanceof TcpError) return error;
    throw error;
  }
  throw new Error("connected, against expectation");
}

async function ask(connection: Connection, line: string): Promise<string> {
  connection.write(`${line}\r\n`);
  return String((await once(connection, "data"))[0]);
}

/** A log, and the connections that it saw close. */
function closeLog(): { log: EventLog; closes: EventRecord[] } {
  const log = new EventLog();
  const closes: EventRecord[] = [];
  log.read((record) => {
    if (record.kind === "close") closes.push(record);
  });
  return { log, closes };
}

/** A server of Node's own that speaks no TLS, and `greet`s each client once that has said something. */
async function plainServer(greet: (socket: Socket) => void): Promise<AsyncDisposable & { port: number }> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => greet(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    // `close` comes when the last connection is gone: a client that leaked one would be seen here.
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

describe("connect with TLS", () => {
  it("is there after the handshake, and checks the name asked for, not the address that answered", async () => {
    await using listener = await serve(
      lineProtocol,
      (line, { connection }) => `${line.text} to ${connection.tls?.servername} at ${line.start}`,
      { tls: { ...tls, ALPNProtocols: ["lines"] } },
    );
    // Nobody listens on ::1, so that the race goes on to the second address.
    const both = [{ address: "::1", family: 6 }, ...(await lookup())];
    const client = await connect({
      host: "one.test",
      port: listener.port,
      lookup: () => Promise.resolve(both),
      tls: { ca, ALPNProtocols: ["lines"] },
    });
    expect(client.tls).toMatchObject({ authorized: true, alpn: "lines", servername: "one.test" });
    expect(client.remote).toMatchObject({ host: "127.0.0.1" });
    expect(await ask(client, "hello")).toBe("hello to one.test at 0\r\n");
    client.end();
    expect((await closed(client)).kind).toBe("local");
  });

  it("checks an address, where that was asked for, and sends no SNI then", async () => {
    await using listener = await listen({ tls });
    const client = await connect({ host: "127.0.0.1", port: listener.port, tls: { ca } });
    expect(client.tls).toMatchObject({ authorized: true, servername: undefined });
    client.destroy();
  });

  it("loses nothing of a server that speaks first", async () => {
    const greeting = "x".repeat(100_000);
    await using listener = await listen({ tls });
    listener.on("connection", (connection) => {
      connection.write(greeting);
      connection.end();
    });
    const client = await connect({ port: listener.port, tls: { ca, servername: "one.test" } });
    let heard = "";
    client.on("data", (chunk) => (heard += String(chunk)));
    await closed(client);
    expect(heard).toBe(greeting);
  });

  it("fails where the certificate is not for that name, or nobody vouches for it", async () => {
    await using listener = await listen({ tls });
    const { port } = listener;
    // The certificate is for 127.0.0.1 as well, which is what answers; but that is not what was asked for.
    expect(await failure({ host: "two.test", port, lookup, tls: { ca } })).toMatchObject({
      code: "tls-failed",
      blame: "remote",
      cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
    });
    expect(await failure({ host: "one.test", port, lookup, tls: true })).toMatchObject({
      code: "tls-failed",
      cause: { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" },
    });
  });

  it.each<[string, (socket: Socket) => void]>([
    ["answers in plain text", (socket) => socket.write("220 hello\r\n")],
    ["ends", (socket) => socket.end()],
    ["resets", (socket) => socket.resetAndDestroy()],
  ])("fails where the server %s", async (_, greet) => {
    await using server = await plainServer(greet);
    expect(await failure({ port: server.port, tls: true })).toMatchObject({
      code: "tls-failed",
      blame: "remote",
      message: expect.stringContaining(`no TLS with 127.0.0.1:${server.port}: the TLS handshake failed: `),
    });
  });

  it("counts the handshake against the one deadline, and leaves nothing behind", async () => {
    const clock = fakeClock();
    const { log, closes } = closeLog();
    await using server = await plainServer(() => clock.advance(500));
    const { port } = server;
    const { signal } = new AbortController();
    expect(await failure({ port, tls: true, deadline: 500, clock, signal, tap: log })).toMatchObject({
      code: "connect-timeout",
      message: `no TLS with 127.0.0.1:${port} within 500 ms`,
    });
    await server[Symbol.asyncDispose]();
    expect(closes).toMatchObject([{ reason: "timeout" }]);
    expect(clock.timers).toBe(0);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("is aborted by its signal during the handshake", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const clock = fakeClock();
    const { log, closes } = closeLog();
    await using server = await plainServer(() => stop.abort(reason));
    const options = { port: server.port, tls: true, signal: stop.signal, clock, tap: log } as const;
    expect(await failure(options)).toMatchObject({ code: "aborted", cause: reason });
    await server[Symbol.asyncDispose]();
    expect(closes).toMatchObject([{ reason: "aborted" }]);
    expect(clock.timers).toBe(0);
  });

  it("refuses a key that is none before it connects, as startTls does before it begins", async () => {
    const port = await freePort();
    const wrong = { code: "bad-option", blame: "local" };
    expect(await failure({ port, tls: { key: "nonsense" } })).toMatchObject(wrong);
    expect(() => reconnect({ port, tls: { key: "nonsense" } })).toThrow(expect.objectContaining(wrong));
    const { listener, server, client } = await joined();
    await expect(client.startTls("client", { key: "nonsense" })).rejects.toMatchObject(wrong);
    expect(client.closeReason).toBeUndefined();
    client.destroy();
    await closed(server);
    await listener.close();
  });

  it("serves reconnect, each time anew", async () => {
    await using listener = await serve(lineProtocol, (line) => line.text, { tls });
    const link = reconnect({ host: "one.test", port: listener.port, lookup, tls: { ca } });
    const connections = new Mailbox<Connection>();
    link.on("connect", connections.put);
    const first = await connections.next();
    expect(first.tls).toMatchObject({ authorized: true });
    first.destroy();
    const second = await connections.next();
    expect(await ask(second, "again")).toBe("again\r\n");
    await link.close();
  });

  it("serves a pool", async () => {
    await using listener = await serve(lineProtocol, (line) => line.text, { tls });
    await using pool = new ConnectionPool({
      connect: (options) => connect({ ...options, lookup, tls: { ca } }),
    });
    const lease = await pool.acquire({ host: "one.test", port: listener.port });
    expect(await ask(lease.connection, "hello")).toBe("hello\r\n");
    lease.release();
  });
});

describe("connect with a PROXY header", () => {
  /** Tells each client what it knows of it. */
  function mirror(options: { tls?: typeof tls } = {}): Promise<Listener> {
    const proxyProtocol = { from: ["127.0.0.1"] };
    return serve(
      lineProtocol,
      (line, { connection: { proxy } }) => JSON.stringify({ text: line.text, start: line.start, proxy }),
      { proxyProtocol, ...options },
    );
  }

  const endpoints = { source, destination };
  const whole: ProxyHeader = {
    version: 2,
    command: "proxy",
    endpoints,
    tlvs: [{ type: "authority", host: "one.test" }, { type: "crc32c" }],
  };
  it.each<[string, OutgoingProxyHeader, ProxyHeader]>([
    ["in short", endpoints, { ...whole, tlvs: [] }],
    ["of version 1", { ...endpoints, version: 1 }, { ...whole, version: 1, tlvs: [] }],
    ["with TLVs", { ...endpoints, tlvs: whole.tlvs }, whole],
    ["that was received", whole, whole],
    ["of its own", "local", { version: 2, command: "local", endpoints: undefined, tlvs: [] }],
  ])("sends one %s first, and counts from behind it", async (_, proxyProtocol, received) => {
    await using listener = await mirror();
    const client = await connect({ port: listener.port, proxyProtocol });
    expect(client.bytesSent).toBe(0);
    const answer = JSON.parse(await ask(client, "hello")) as unknown;
    expect(answer).toEqual(JSON.parse(JSON.stringify({ text: "hello", start: 0, proxy: received })));
    client.end();
    await closed(client);
  });

  it("sends it before TLS begins", async () => {
    await using listener = await mirror({ tls });
    const options = { host: "one.test", port: listener.port, lookup, tls: { ca }, proxyProtocol: endpoints };
    const client = await connect(options);
    expect(client.tls).toMatchObject({ authorized: true });
    expect(JSON.parse(await ask(client, "hello"))).toMatchObject({ start: 0, proxy: { endpoints } });
    client.end();
    await closed(client);
  });

  it("refuses one that cannot be written, before it connects", async () => {
    const port = await freePort();
    const tlvs = [{ type: "noop", length: 1 }] as const;
    expect(await failure({ port, proxyProtocol: { ...endpoints, version: 1, tlvs } })).toMatchObject({
      code: "bad-option",
    });
  });
});
