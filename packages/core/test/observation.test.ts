// Who sees what: several taps at once, Node's diagnostics channels, and that nothing is made where nobody looks.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect as tlsConnect } from "node:tls";
import { queryObjects } from "node:v8";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connect, createListener, EventLog, lineProtocol, listen, open, serve, taps } from "../src/index.ts";
import type { Connection, DiagnosticsMessages, LineEvent, Observation, Protocol, Tap } from "../src/index.ts";
import { MessageObserver } from "../src/observe/message-observer.ts";
import { ca, identity } from "./certificates.ts";
import { closed, joined, rawClient, readAll } from "./support.ts";

type ChannelName = keyof DiagnosticsMessages;
type Published = { [Name in ChannelName]: readonly [Name, DiagnosticsMessages[Name]] }[ChannelName];

/** What is published on these channels during a test. */
function published(...names: ChannelName[]): Published[] {
  const messages: Published[] = [];
  for (const name of names) {
    const subscriber = (message: unknown): void => {
      messages.push([name, message] as unknown as Published);
    };
    subscribe(name, subscriber);
    onTestFinished(() => void unsubscribe(name, subscriber));
  }
  return messages;
}

describe("taps", () => {
  it("shows everything to each, in the order given", () => {
    const seen: string[] = [];
    const tap = (name: string): Tap => ({ observe: ({ kind }) => seen.push(`${name} ${kind}`) });
    const both = taps(tap("first"), undefined, tap("second"));
    both?.observe({ kind: "drain", conn: 1 });
    both?.observe({ kind: "pause", conn: 1 });
    expect(seen).toEqual(["first drain", "second drain", "first pause", "second pause"]);
  });

  it("is that tap itself for one, and none for none", () => {
    const tap = new EventLog();
    expect(taps(undefined, tap)).toBe(tap);
    expect(taps(undefined)).toBeUndefined();
    expect(taps()).toBeUndefined();
  });

  it("measures handlers for those who want that, and describes messages unless none wants them", () => {
    const told: string[] = [];
    const plain: Tap = { observe: () => {}, messages: false };
    const measuring: Tap = {
      observe: () => {},
      handling(conn, type) {
        told.push(`${conn} ${type}`);
        return (failure) => void told.push(String(failure?.message));
      },
    };
    expect(taps(plain, plain)).toMatchObject({ messages: false });
    expect(taps(plain, plain)).not.toHaveProperty("handling");
    const all = taps(plain, measuring, measuring);
    expect(all?.messages).toBe(true);
    all?.handling?.(3, "line")(new Error("broken"));
    expect(told).toEqual(["3 line", "3 line", "broken", "broken"]);
  });
});

describe("the event log", () => {
  /** What a tap is shown, without the records of bytes. */
  function watched(): { tap: Tap; seen: Observation[] } {
    const seen: Observation[] = [];
    return {
      tap: { observe: (observation) => void (observation.kind !== "data" && seen.push(observation)) },
      seen,
    };
  }

  it("tells of a listener that closes, and how its connections ended", async () => {
    const { tap, seen } = watched();
    const { listener, server, client } = await joined({ tap, service: "door" });
    // The client ends its side when it sees the end of ours; this one does not.
    const accepted = once(listener, "connection");
    const stubborn = await rawClient(listener.port);
    await accepted;
    const patience = new AbortController();
    void closed(server).then(() => patience.abort());
    await listener.close({ deadline: 600_000, signal: patience.signal });
    stubborn.destroy();
    await closed(client);
    const about = { service: "door", local: listener.address };
    expect(seen.filter(({ kind }) => kind === "listening" || kind.startsWith("drain"))).toEqual([
      { kind: "listening", ...about },
      { kind: "draining", ...about, connections: 2 },
      { kind: "drained", ...about, drained: 1, cut: 1 },
    ]);
    expect(seen.at(-1)?.kind).toBe("drained");
  });

  it("tells of no close of a listener that never listened", async () => {
    const { tap, seen } = watched();
    await createListener({ tap }).close();
    expect(seen).toEqual([]);
  });

  it("tells how an accepted connection is encrypted, right after it was made known", async () => {
    const { tap, seen } = watched();
    const secure = { ...identity("one.test"), ALPNProtocols: ["lines/1"] };
    await using server = await serve(lineProtocol, (line) => line.text, { tap, tls: secure });
    const accepted = once(server, "connection") as Promise<[Connection]>;
    const client = tlsConnect({ port: server.port, ca, servername: "one.test", ALPNProtocols: ["lines/1"] });
    const [connection] = await accepted;
    expect(seen.slice(1)).toMatchObject([
      { kind: "connection", conn: connection.id },
      {
        kind: "secure",
        conn: connection.id,
        protocol: connection.tls?.protocol,
        cipher: connection.tls?.cipher,
        alpn: "lines/1",
        servername: "one.test",
      },
    ]);
    client.end();
    await closed(connection);
  });

  it("tells of both sides how they were encrypted in place", async () => {
    const { tap, seen } = watched();
    const { listener, server, client } = await joined({ tap, client: { tap } });
    await Promise.all([
      server.startTls("server", identity("one.test")),
      client.startTls("client", { ca, servername: "one.test" }),
    ]);
    const secured = seen.filter(({ kind }) => kind === "secure");
    expect(secured).toHaveLength(2);
    for (const { id, tls } of [server, client]) {
      const { protocol, cipher, alpn, servername } = tls ?? {};
      expect(secured).toContainEqual({ kind: "secure", conn: id, protocol, cipher, alpn, servername });
    }
    expect(client.tls?.protocol).toMatch(/^TLSv1/);
    client.end();
    await closed(server);
    await listener.close();
  });
});

describe("diagnostics channels", () => {
  it("publish the life of a listener and of its connection, with its bytes and its time", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const messages = published(
      "tcpkit.listener.listening",
      "tcpkit.connection.open",
      "tcpkit.connection.close",
      "tcpkit.listener.draining",
      "tcpkit.listener.drained",
    );
    const server = await serve(lineProtocol, (line) => line.text);
    const accepted = once(server, "connection") as Promise<[Connection]>;
    const client = await rawClient(server.port);
    const [connection] = await accepted;
    vi.advanceTimersByTime(250);
    client.end("hello\n");
    await readAll(client);
    await closed(connection);
    await server.close();
    const about = { service: "lines", local: server.address };
    const which = { ...about, conn: connection.id, side: "server", remote: connection.remote };
    expect(messages).toEqual([
      ["tcpkit.listener.listening", about],
      ["tcpkit.connection.open", which],
      [
        "tcpkit.connection.close",
        { ...which, reason: "ended", cause: undefined, bytesIn: 6, bytesOut: 7, duration: 250 },
      ],
      ["tcpkit.listener.draining", { ...about, connections: 0 }],
      ["tcpkit.listener.drained", { ...about, drained: 0, cut: 0 }],
    ]);
  });

  it("publish our side of a client's connection, and what failed on it", async () => {
    const messages = published("tcpkit.connection.open", "tcpkit.connection.close", "tcpkit.error");
    const { listener, server, client } = await joined({ client: { service: "caller" } });
    const gone = closed(client);
    server.reset();
    await gone;
    await listener.close();
    expect(messages.filter(([, message]) => "conn" in message && message.conn === client.id)).toMatchObject([
      ["tcpkit.connection.open", { side: "client", service: "caller", remote: { port: listener.port } }],
      ["tcpkit.error", { code: "reset" }],
      ["tcpkit.connection.close", { side: "client", reason: "reset" }],
    ]);
  });

  it("publish who was turned away, and why", async () => {
    const messages = published("tcpkit.listener.drop");
    await using server = await listen({ service: "door", deny: ["127.0.0.1"] });
    const dropped = once(server, "drop");
    const client = await rawClient(server.port);
    await dropped;
    client.destroy();
    expect(messages).toMatchObject([["tcpkit.listener.drop", { service: "door", reason: "denied" }]]);
  });

  it("publish how a connection is encrypted", async () => {
    const messages = published("tcpkit.connection.secure");
    await using server = await listen({ tls: identity("one.test") });
    const accepted = once(server, "connection") as Promise<[Connection]>;
    const client = tlsConnect({ port: server.port, ca, servername: "one.test" });
    const [connection] = await accepted;
    const { protocol, cipher, alpn } = connection.tls ?? {};
    expect(messages).toEqual([
      ["tcpkit.connection.secure", { conn: connection.id, protocol, cipher, alpn, servername: "one.test" }],
    ]);
    client.end();
    await closed(connection);
  });

  it("publish that a full write buffer has emptied", async () => {
    const messages = published("tcpkit.connection.drain");
    const { listener, server, client } = await joined();
    client.on("data", () => {});
    const drained = once(server, "drain");
    while (server.write(Buffer.alloc(100_000)));
    await drained;
    expect(messages).toEqual([["tcpkit.connection.drain", { conn: server.id }]]);
    client.destroy();
    await listener.close();
  });

  it("publish no close of a connection that never was open", async () => {
    const messages = published("tcpkit.connection.close");
    const server = await listen();
    await server.close();
    await closed(open({ port: server.port }));
    expect(messages).toEqual([]);
  });

  it("leave a tap that is given alone: both hear", async () => {
    const seen: string[] = [];
    const messages = published("tcpkit.connection.open");
    const { listener, server, client } = await joined({ tap: { observe: ({ kind }) => seen.push(kind) } });
    expect(seen).toEqual(["listening", "connection"]);
    expect(messages).toContainEqual([
      "tcpkit.connection.open",
      expect.objectContaining({ side: "server", conn: server.id }),
    ]);
    client.end();
    await closed(server);
    await listener.close();
  });

  it("cost a connection nothing while nobody subscribes to what they tell of connections", async () => {
    const { listener, server, client } = await joined();
    expect([server.tap, client.tap]).toEqual([undefined, undefined]);
    published("tcpkit.listener.drop");
    const tap = new EventLog();
    const later = await connect({ port: listener.port, tap });
    expect(later.tap).toBe(tap);
    for (const connection of [client, later]) connection.end();
    await listener.close();
  });

  it("tell who comes late of listeners, and of the connections that open from then on", async () => {
    const { listener, server, client } = await joined();
    const messages = published(
      "tcpkit.connection.open",
      "tcpkit.connection.close",
      "tcpkit.listener.listening",
      "tcpkit.listener.draining",
    );
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const raw = await rawClient(listener.port);
    const [later] = await accepted;
    for (const socket of [client, raw]) socket.end();
    await Promise.all([closed(server), closed(later), closed(client)]);
    await listener.close();
    expect(messages).toMatchObject([
      ["tcpkit.connection.open", { conn: later.id }],
      ["tcpkit.connection.close", { conn: later.id }],
      ["tcpkit.listener.draining", { local: listener.address }],
    ]);
  });
});

describe("without a tap", () => {
  /** A round trip in text and in bytes, and what was made for observers meanwhile. */
  async function roundTrip(tap: Tap | undefined): Promise<{ observers: number; descriptions: number }> {
    let descriptions = 0;
    const describe = (): { type: string; text: string } => {
      descriptions += 1;
      return { type: "line", text: "" };
    };
    const watched: Protocol<LineEvent, string> = {
      ...lineProtocol,
      describeEvent: describe,
      describeReply: describe,
    };
    await using server = await serve(watched, (line) => line.text, { tap });
    const client = await rawClient(server.port);
    const answered = once(client, "data");
    client.write("hello\n你好\n");
    await answered;
    // While the connection is open, its observer would be alive.
    const observers = queryObjects(MessageObserver, { format: "count" });
    client.end();
    await once(client, "close");
    return { observers, descriptions };
  }

  it("makes no observer and describes no message; with one it does", async () => {
    expect(await roundTrip(undefined)).toEqual({ observers: 0, descriptions: 0 });
    expect(await roundTrip(taps())).toEqual({ observers: 0, descriptions: 0 });
    // Nor for those who hear of connections alone.
    published("tcpkit.connection.open", "tcpkit.connection.close");
    expect(await roundTrip(undefined)).toEqual({ observers: 0, descriptions: 0 });
    const seen: Observation[] = [];
    const tap: Tap = { observe: (observation) => seen.push(observation) };
    expect(await roundTrip(tap)).toEqual({ observers: 1, descriptions: 4 });
    expect(seen.length).toBeGreaterThan(8);
  });

  it("copies nothing of what is written; with one it must", async () => {
    const copies = async (tap: Tap | undefined): Promise<number> => {
      const { listener, server, client } = await joined({ tap });
      const arrived = once(client, "data");
      const from = vi.spyOn(Buffer, "from");
      server.write("text");
      const calls = from.mock.calls.filter(([text]) => (text as unknown) === "text").length;
      from.mockRestore();
      await arrived;
      client.end();
      await closed(server);
      await listener.close();
      return calls;
    };
    expect(await copies(undefined)).toBe(0);
    expect(await copies(new EventLog())).toBe(1);
  });
});
