// Who sees what: several taps at once, Node's diagnostics channels, and that nothing is made where nobody looks.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { queryObjects } from "node:v8";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { diagnosticsTap, EventLog, lineProtocol, listen, open, serve, taps } from "../src/index.ts";
import type { Connection, DiagnosticsMessages, LineEvent, Observation, Protocol, Tap } from "../src/index.ts";
import { MessageObserver } from "../src/observe/message-observer.ts";
import { fakeClock } from "../src/testing/index.ts";
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
});

describe("diagnosticsTap", () => {
  it("publishes a connection's opening and close, with its bytes and its time", async () => {
    const clock = fakeClock();
    const messages = published(
      "tcpkit.listener.listening",
      "tcpkit.connection.open",
      "tcpkit.connection.close",
    );
    await using server = await serve(lineProtocol, (line) => line.text, { tap: diagnosticsTap(clock) });
    const accepted = once(server, "connection") as Promise<[Connection]>;
    const client = await rawClient(server.port);
    const [connection] = await accepted;
    clock.advance(250);
    client.end("hello\n");
    await readAll(client);
    await closed(connection);
    const which = {
      conn: connection.id,
      side: "server",
      service: "lines",
      local: server.address,
      remote: connection.remote,
    };
    expect(messages).toEqual([
      ["tcpkit.listener.listening", { service: "lines", local: server.address }],
      ["tcpkit.connection.open", which],
      [
        "tcpkit.connection.close",
        { ...which, reason: "ended", cause: undefined, bytesIn: 6, bytesOut: 7, duration: 250 },
      ],
    ]);
  });

  it("publishes our side of a client's connection, and what failed on it", async () => {
    const messages = published("tcpkit.connection.open", "tcpkit.connection.close", "tcpkit.error");
    const { listener, server, client } = await joined({ client: { tap: diagnosticsTap() } });
    const gone = closed(client);
    server.reset();
    await gone;
    await listener.close();
    expect(messages).toMatchObject([
      ["tcpkit.connection.open", { side: "client", remote: { port: listener.port } }],
      ["tcpkit.error", { conn: client.id, code: "reset" }],
      ["tcpkit.connection.close", { conn: client.id, side: "client", reason: "reset" }],
    ]);
  });

  it("publishes who was turned away, and why", async () => {
    const messages = published("tcpkit.listener.drop");
    await using server = await listen({ tap: diagnosticsTap(), service: "door", deny: ["127.0.0.1"] });
    const dropped = once(server, "drop");
    const client = await rawClient(server.port);
    await dropped;
    client.destroy();
    expect(messages).toMatchObject([["tcpkit.listener.drop", { service: "door", reason: "denied" }]]);
  });

  it("publishes that a full write buffer has emptied", async () => {
    const messages = published("tcpkit.connection.drain");
    const { listener, server, client } = await joined({ tap: diagnosticsTap() });
    client.on("data", () => {});
    const drained = once(server, "drain");
    while (server.write(Buffer.alloc(100_000)));
    await drained;
    expect(messages).toEqual([["tcpkit.connection.drain", { conn: server.id }]]);
    client.destroy();
    await listener.close();
  });

  it("publishes no close of a connection that never was open", async () => {
    const messages = published("tcpkit.connection.close");
    const server = await listen();
    await server.close();
    await closed(open({ port: server.port, tap: diagnosticsTap() }));
    expect(messages).toEqual([]);
  });

  it("knows the bytes of a connection from before somebody subscribed", async () => {
    const { listener, server, client } = await joined({ tap: diagnosticsTap() });
    client.write("unseen");
    await once(server, "data");
    const messages = published("tcpkit.connection.open", "tcpkit.connection.close");
    client.end();
    await closed(server);
    await listener.close();
    expect(messages).toMatchObject([["tcpkit.connection.close", { conn: server.id, bytesIn: 6 }]]);
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
