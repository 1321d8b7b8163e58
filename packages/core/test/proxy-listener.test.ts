import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import {
  connect,
  DeadlineTimer,
  encodeProxyHeader,
  EventLog,
  lineProtocol,
  listen,
  serve,
} from "../src/index.ts";
import type { Connection, Drop, EventRecord, Listener, ListenOptions, ProxyHeader } from "../src/index.ts";
import { fakeClock } from "../src/testing/index.ts";
import { closed, rawClient, readAll } from "./support.ts";

const proxyProtocol = { from: ["127.0.0.1"] };

const header: ProxyHeader = {
  version: 2,
  command: "proxy",
  endpoints: {
    source: { kind: "tcp", host: "192.0.2.7", port: 40_000 },
    destination: { kind: "tcp", host: "198.51.100.1", port: 25 },
  },
  tlvs: [{ type: "unique-id", bytes: Buffer.from("a1b2") }, { type: "crc32c" }],
};

/** What a listener that trusts this machine makes of a client's first bytes. */
async function refused(
  first: string | Uint8Array,
  options: Partial<ListenOptions> = {},
): Promise<{ drop: Drop; heard: string; records: EventRecord[] }> {
  const log = new EventLog();
  const records: EventRecord[] = [];
  log.read((record) => records.push(record));
  await using listener = await listen({ proxyProtocol, tap: log, ...options });
  listener.on("connection", () => expect.unreachable());
  const dropped = once(listener, "drop") as Promise<[Drop]>;
  const client = await rawClient(listener.port);
  const heard = readAll(client);
  client.write(first);
  const [drop] = await dropped;
  return { drop, heard: await heard, records };
}

/** A client that is let in. Sockets are accepted in order, so that those before it have been accepted as well. */
async function come(listener: Listener): Promise<Connection> {
  const accepted = once(listener, "connection");
  const client = await connect({ port: listener.port });
  client.write(encodeProxyHeader(header));
  await accepted;
  return client;
}

/** Resolves when a socket is closed, be it by a reset. */
function disconnected(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once("close", resolve));
}

describe("a listener behind a proxy", () => {
  it.each([1, 2] as const)("takes the source out of a version %i header", async (version) => {
    await using listener = await listen({ proxyProtocol });
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const client = await connect({ port: listener.port });
    const sent: ProxyHeader = version === 1 ? { ...header, version, tlvs: [] } : header;
    client.write(encodeProxyHeader(sent));
    const [connection] = await accepted;
    expect(connection.remote).toEqual(header.endpoints?.source);
    expect(connection.peer).toMatchObject({ kind: "tcp", host: "127.0.0.1" });
    expect(connection.local).toEqual(listener.address);
    expect(connection.proxy).toEqual(sent);
    client.end();
  });

  it("loses no byte behind the header, wherever that is cut; offsets begin there", async () => {
    const log = new EventLog();
    const records: EventRecord[] = [];
    log.read((record) => records.push(record));
    await using listener = await serve(lineProtocol, (line) => `${line.text} at ${line.start}`, {
      proxyProtocol,
      tap: log,
    });
    const bytes = Buffer.concat([encodeProxyHeader(header), Buffer.from("one\r\ntwo\r\n")]);
    const cuts = [1, 16, 17, bytes.length - 10, bytes.length - 9, bytes.length - 5, bytes.length];
    const all = cuts.map(async (cut) => {
      const client = await rawClient(listener.port);
      const heard = readAll(client);
      client.setNoDelay(true);
      client.write(bytes.subarray(0, cut));
      // A turn of the loop later, so that it is another segment as a rule; the answer is the same if it is not.
      await new Promise((resolve) => setImmediate(resolve));
      client.end(bytes.subarray(cut));
      return heard;
    });
    expect(await Promise.all(all)).toEqual(cuts.map(() => "one at 0\r\ntwo at 5\r\n"));
    const first = records.filter((record) => record.kind === "data" && record.dir === "in");
    expect(first.every((record) => record.kind === "data" && record.span.start <= 10)).toBe(true);
    expect(records.find(({ kind }) => kind === "connection")).toMatchObject({
      remote: { host: "192.0.2.7" },
      peer: { host: "127.0.0.1" },
    });
  });

  it("may be paused at once: what came behind the header waits", async () => {
    await using listener = await listen({ proxyProtocol });
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    listener.on("connection", (connection) => connection.pause());
    const client = await rawClient(listener.port);
    client.write(Buffer.concat([encodeProxyHeader(header), Buffer.from("early")]));
    const [connection] = await accepted;
    const chunks: string[] = [];
    connection.on("data", (chunk) => chunks.push(String(chunk)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(chunks).toEqual([]);
    connection.resume();
    await once(connection, "data");
    client.write("late");
    await once(connection, "data");
    expect(chunks).toEqual(["early", "late"]);
    client.destroy();
  });

  it.each<[string, ProxyHeader]>([
    ["UNKNOWN", { version: 1, command: "proxy", endpoints: undefined, tlvs: [] }],
    ["LOCAL", { version: 2, command: "local", endpoints: undefined, tlvs: [] }],
  ])("keeps the connection's own address for %s", async (_, unknown) => {
    await using listener = await listen({ proxyProtocol });
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const client = await connect({ port: listener.port });
    client.write(encodeProxyHeader(unknown));
    const [connection] = await accepted;
    expect(connection.remote).toEqual(connection.peer);
    expect(connection.proxy).toEqual(unknown);
    client.end();
  });

  it("takes a stranger's header as the protocol's own bytes", async () => {
    await using listener = await serve(lineProtocol, (line) => `you said ${line.text}`, {
      proxyProtocol: { from: ["192.0.2.0/24"] },
    });
    const client = await rawClient(listener.port);
    client.end("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
    expect(await readAll(client)).toBe("you said PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
  });

  it("closes on a bad header, and says so", async () => {
    const { drop, heard, records } = await refused("EHLO example.org\r\n");
    expect(heard).toBe("");
    expect(drop).toMatchObject({
      reason: "proxy-header",
      remote: { host: "127.0.0.1" },
      closeReason: { kind: "protocol", cause: { code: "bad-proxy-header", blame: "remote", offset: 0 } },
    });
    expect(records.find(({ kind }) => kind === "drop")).toMatchObject({
      reason: "proxy-header",
      cause: expect.stringContaining("neither version 1 nor 2") as string,
    });
  });

  it("closes on a header that drips in, at the deadline", async () => {
    const clock = fakeClock();
    const timer = new DeadlineTimer(clock);
    await using listener = await listen({ proxyProtocol: { ...proxyProtocol, deadline: 1000 }, timer });
    const dropped = once(listener, "drop") as Promise<[Drop]>;
    const client = await rawClient(listener.port);
    const gone = disconnected(client);
    client.write("PROXY ");
    await come(listener);
    clock.advance(900);
    client.write("TCP4 ");
    clock.advance(300);
    const [drop] = await dropped;
    expect(drop).toMatchObject({
      reason: "proxy-header",
      closeReason: { kind: "timeout", deadline: "handshake", cause: { code: "timeout" } },
    });
    client.end();
    await gone;
  });

  it("says when the peer goes before its header is whole", async () => {
    await using listener = await listen({ proxyProtocol });
    const dropped = once(listener, "drop") as Promise<[Drop]>;
    const client = await rawClient(listener.port);
    client.end("PROXY ");
    expect((await dropped)[0]).toMatchObject({ reason: "proxy-header", closeReason: { kind: "ended" } });
  });

  it("judges by the real source", async () => {
    const denied = await refused(encodeProxyHeader(header), {
      deny: ["192.0.2.7"],
      refusal: (reason) => `554 ${reason}\r\n`,
    });
    expect(denied.drop).toMatchObject({ reason: "denied", remote: { host: "192.0.2.7" } });
    expect(denied.heard).toBe("554 denied\r\n");

    await using listener = await listen({ proxyProtocol, maxPerAddress: 1, allow: ["192.0.2.0/24"] });
    const comeFrom = async (host: string): Promise<Connection> => {
      const client = await connect({ port: listener.port });
      const source = { kind: "tcp", host, port: 1 } as const;
      client.write(encodeProxyHeader({ ...header, endpoints: { source, destination: source } }));
      return client;
    };
    const next = (): Promise<[Connection]> => once(listener, "connection") as Promise<[Connection]>;
    const first = next();
    const one = await comeFrom("192.0.2.1");
    const [connection] = await first;
    const second = next();
    const other = await comeFrom("192.0.2.2");
    await second;
    const dropped = once(listener, "drop") as Promise<[Drop]>;
    await closed(await comeFrom("192.0.2.1"));
    expect((await dropped)[0]).toMatchObject({ reason: "max-per-address", remote: { host: "192.0.2.1" } });
    one.end();
    await closed(connection);
    const again = next();
    const third = await comeFrom("192.0.2.1");
    await again;
    third.end();
    other.end();
  });

  it("holds behind a header, too", async () => {
    await using listener = await listen({ proxyProtocol, maxConnections: 1, overflow: "hold" });
    listener.on("connection", (connection) => {
      connection.on("data", (chunk) => connection.write(`got ${String(chunk)}`));
    });
    const clients = await Promise.all(
      ["first", "second"].map(async (text) => {
        const client = await connect({ port: listener.port });
        client.write(Buffer.concat([encodeProxyHeader(header), Buffer.from(text)]));
        return client;
      }),
    );
    const heard = clients.map(async (client) => {
      const [chunk] = (await once(client, "data")) as [Buffer];
      client.end();
      return String(chunk);
    });
    expect(await Promise.all(heard)).toEqual(["got first", "got second"]);
  });

  it("does not wait for headers when it drains", async () => {
    const listener = await listen({ proxyProtocol });
    const client = await rawClient(listener.port);
    const gone = disconnected(client);
    client.write("PROXY ");
    await come(listener);
    expect(await listener.close()).toEqual({ drained: 1, cut: 0 });
    client.end();
    await gone;
  });

  it.skipIf(process.platform === "win32")("trusts Unix sockets where it is told to", async () => {
    const path = `/tmp/tcpkit-proxy-${process.pid}-${process.env["VITEST_POOL_ID"]}`;
    await using listener = await listen({ path, proxyProtocol: { from: ["unix"] } });
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const client = await connect({ path });
    client.write(encodeProxyHeader(header));
    const [connection] = await accepted;
    expect(connection.remote).toEqual(header.endpoints?.source);
    expect(connection.peer).toBeUndefined();
    client.end();
  });

  it("refuses to trust what is no network", () => {
    return expect(listen({ proxyProtocol: { from: ["nonsense"] } })).rejects.toMatchObject({
      code: "bad-option",
    });
  });
});
