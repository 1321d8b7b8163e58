import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { ByteStream, DeadlineTimer, drive, EventLog, lineProtocol, lines, serve } from "../src/index.ts";
import { drain } from "../src/drain.ts";
import type { Connection, LineEvent, Observation, Protocol } from "../src/index.ts";
import { fakeClock, pair, splitEvery } from "../src/testing/index.ts";
import { closed, rawClient, readAll } from "./support.ts";

/** A settled turn of the event loop: enough for in-memory bytes to arrive. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function textOf(connection: Connection): Promise<string> {
  return readAll(connection);
}

describe("drive", () => {
  it("answers each event in order, however the bytes are cut", async () => {
    const { client, server } = pair({ faults: splitEvery(1) });
    drive(server, lineProtocol, (line) => `you said ${line.text}`);
    client.write("one\ntwo\r\nthree\n");
    client.end();
    expect(await textOf(client)).toBe("you said one\r\nyou said two\r\nyou said three\r\n");
    expect((await closed(server)).kind).toBe("ended");
  });

  it("pulls nothing while a handler is pending, and answers in order", async () => {
    const { client, server } = pair();
    const running: string[] = [];
    let atOnce = 0;
    drive(server, lineProtocol, async (line) => {
      running.push(line.text);
      atOnce = Math.max(atOnce, running.length);
      await turn();
      running.pop();
      return line.text;
    });
    client.write("a\nb\nc\n");
    client.end();
    expect(await textOf(client)).toBe("a\r\nb\r\nc\r\n");
    expect(atOnce).toBe(1);
  });

  it("answers a client that ends its side before the reply (half-close)", async () => {
    const { client, server } = pair();
    drive(server, lineProtocol, async (line) => {
      await turn();
      await turn();
      return line.text;
    });
    client.write("late\n");
    client.end();
    expect(await textOf(client)).toBe("late\r\n");
  });

  it("writes the replies of one turn together", async () => {
    const { client, server } = pair();
    let chunks = 0;
    client.on("data", () => (chunks += 1));
    drive(server, lineProtocol, (line) => line.text);
    client.write("a\nb\nc\nd\n");
    await turn();
    expect(chunks).toBe(1);
  });

  it.each([
    ["throws", () => fail()],
    ["rejects", () => Promise.reject(new Error("a bug"))],
  ])("ends only its own connection when the handler %s", async (_name, handler) => {
    const { client, server } = pair();
    const errors: string[] = [];
    server.on("error", (error) => errors.push(error.code));
    drive(server, lineProtocol, handler);
    client.write("x\n");
    const reason = await closed(server);
    expect(reason).toMatchObject({ kind: "local", cause: { code: "handler-failed" } });
    expect(errors).toEqual(["handler-failed"]);
  });

  it("closes with reason protocol when the session fails", async () => {
    const { client, server } = pair();
    drive(server, lines({ ending: "crlf" }), (line) => line.text);
    client.write("good\r\nbad\n");
    expect(await textOf(client)).toBe("good\r\n");
    expect(await closed(server)).toMatchObject({ kind: "protocol", cause: { code: "bare-lf", offset: 9 } });
  });

  it("closes when the handler says so, after its last word", async () => {
    const { client, server } = pair();
    drive(server, lineProtocol, (line, peer) => {
      peer.send("and");
      if (line.text === "quit") peer.close();
      return "bye";
    });
    client.write("quit\nignored\n");
    expect(await textOf(client)).toBe("and\r\nbye\r\n");
    expect((await closed(server)).kind).toBe("local");
  });

  it.each<[string, (connection: Connection) => void, string]>([
    ["write()", (connection) => void connection.write("b"), "one\r\nbtwo\r\n"],
    ["writeAll()", (connection) => void connection.writeAll(["b", "c"]), "one\r\nbctwo\r\n"],
    ["end()", (connection) => connection.end(), "one\r\n"],
    ["close()", (connection) => connection.close(), "one\r\n"],
  ])("lets what a handler sent leave before its own %s", async (_name, beside, received) => {
    const { client, server } = pair();
    drive(server, lineProtocol, (_line, peer) => {
      peer.send("one");
      beside(peer.connection);
      return "two";
    });
    client.write("go\n");
    client.end();
    expect(await textOf(client)).toBe(received);
  });

  it("tells whoever waits to send at once that the connection is gone, before its `close`", async () => {
    const { client, server } = pair();
    const outcome = new Promise((resolve) => {
      drive(server, lineProtocol, async (_line, peer) => {
        peer.connection.destroy();
        expect(peer.send("late")).toBe(false);
        expect(peer.connection.closed).toBe(false);
        resolve(await peer.drained().catch((error: unknown) => error));
      });
    });
    client.write("go\n");
    expect(await outcome).toMatchObject({ code: "closed" });
  });

  it("stops pulling while the peer does not read", async () => {
    const { client, server } = pair();
    let handled = 0;
    client.pause();
    drive(server, lineProtocol, () => {
      handled += 1;
      return "x".repeat(100_000);
    });
    client.write("go\n".repeat(1000));
    await turn();
    const before = handled;
    expect(before).toBeLessThan(10);
    client.resume();
    while (client.bytesReceived < 1000 * 100_002) await once(client, "data");
    expect(handled).toBe(1000);
  });

  it("stops reading while a handler is pending", async () => {
    await using listener = await serve(lineProtocol, () => new Promise<string>(() => {}));
    const raw = await rawClient(listener.port);
    raw.write("first\n");
    const chunk = Buffer.alloc(1_000_000);
    while (raw.write(chunk)) await turn();
    // The kernel's buffers are full: nothing more leaves, although we wait for the socket to become writable.
    const [connection] = listener.connections;
    const seen = connection?.bytesReceived ?? 0;
    for (let count = 0; count < 20; count++) await turn();
    expect(connection?.bytesReceived).toBe(seen);
    expect(seen).toBeLessThan(1_000_000);
    raw.destroy();
    await listener.close({ deadline: 0 });
  });
});

describe("deadlines", () => {
  function idleServer(): { client: Connection; server: Connection; advance: (ms: number) => Promise<void> } {
    const clock = fakeClock();
    const { client, server } = pair({ connection: { timer: new DeadlineTimer(clock) } });
    drive(server, lineProtocol, (line) => line.text, { deadlines: { idle: 60_000, message: 5000 } });
    const advance = async (ms: number): Promise<void> => {
      clock.advance(ms);
      await turn();
    };
    return { client, server, advance };
  }

  it.each([
    ["first-byte", ""],
    ["message", "half a line"],
    ["idle", "a line\n"],
  ])("say which of them expired: %s", async (deadline, text) => {
    const { client, server, advance } = idleServer();
    client.write(text);
    await turn();
    await advance(100_000);
    expect(await closed(server)).toEqual({ kind: "timeout", deadline });
  });

  it("close a client that says nothing", async () => {
    const { server, advance } = idleServer();
    await advance(59_000);
    expect(server.closeReason).toBeUndefined();
    await advance(2000);
    expect((await closed(server)).kind).toBe("timeout");
  });

  it("are not defeated by a byte now and then", async () => {
    const { client, server, advance } = idleServer();
    for (let time = 0; time < 10_000 && client.writable; time += 500) {
      client.write("x");
      await turn();
      await advance(500);
    }
    expect((await closed(server)).kind).toBe("timeout");
  });

  it("start anew with each message", async () => {
    const { client, server, advance } = idleServer();
    for (let count = 0; count < 10; count++) {
      client.write("x\n");
      await turn();
      await advance(40_000);
    }
    expect(server.closeReason).toBeUndefined();
  });
});

describe("drain", () => {
  it("lets the handler at work finish, and then closes", async () => {
    const started = Promise.withResolvers<void>();
    const work = Promise.withResolvers<string>();
    const listener = await serve(lineProtocol, () => {
      started.resolve();
      return work.promise;
    });
    const raw = await rawClient(listener.port);
    raw.write("work\n");
    await started.promise;
    const result = listener.close();
    work.resolve("done");
    expect(await readAll(raw)).toBe("done\r\n");
    raw.end();
    expect(await result).toEqual({ drained: 1, cut: 0 });
  });

  /** Lines, of a session that rests between them and says so. */
  const kept: Protocol<LineEvent, string> = {
    name: "kept",
    session() {
      const session = lineProtocol.session();
      Object.defineProperty(session, "resting", { get: () => !session.partial });
      return Object.assign(session, { notify: () => undefined });
    },
  };

  it("gives a resting session the time of its goodbye for one more message, and then closes in good order", async () => {
    const clock = fakeClock();
    const { client, server } = pair({ clock });
    drive(server, kept, ({ text }) => text, { deadlines: { goodbye: 500 } });
    const received = textOf(client);
    client.write("one\n");
    await turn();
    const drained = drain([server]);
    clock.advance(400);
    client.write("two\n");
    await turn();
    // From the message on, it has its time again.
    clock.advance(400);
    expect(server.closed).toBe(false);
    clock.advance(200);
    expect(await received).toBe("one\r\ntwo\r\n");
    client.end();
    expect(await drained).toEqual({ drained: 1, cut: 0 });
    expect(server.closeReason).toEqual({ kind: "local" });
  });

  it("waits for a message that has begun as long as ever, and without a goodbye deadline for nothing else", async () => {
    const clock = fakeClock();
    const [begun, resting] = [pair({ clock }), pair({ clock })];
    for (const { server } of [begun, resting]) {
      drive(server, kept, ({ text }) => text, { deadlines: { message: 1000 } });
    }
    begun.client.write("on");
    await turn();
    const received = textOf(begun.client);
    const drained = drain([begun.server, resting.server]);
    resting.client.end();
    expect((await closed(resting.server)).kind).toBe("local");
    clock.advance(900);
    begun.client.write("e\n");
    expect(await received).toBe("one\r\n");
    begun.client.end();
    expect(await drained).toEqual({ drained: 2, cut: 0 });
  });
});

describe("the event log", () => {
  it("tells TCP events, bytes and messages with their offsets, in order", async () => {
    const log = new EventLog();
    const seen: Observation[] = [];
    log.read(({ seq, t, ...observation }) => {
      expect(seq).toBe(seen.length + 1);
      expect(t).toBeGreaterThan(0);
      seen.push(observation);
    });
    const { client, server } = pair();
    const tapped = pair({ connection: { tap: log } });
    client.destroy();
    server.destroy();
    drive(tapped.server, lineProtocol, (line) => line.text);
    const conn = tapped.server.id;
    tapped.client.write("ab\ncd\n");
    await turn();
    const mine = seen.filter((observation) => "conn" in observation && observation.conn === conn);
    expect(mine.map(({ kind }) => kind)).toEqual([
      "data",
      "message",
      "message",
      "message",
      "message",
      "data",
    ]);
    expect(mine.map((observation) => ("span" in observation ? observation.span : undefined))).toEqual([
      { start: 0, end: 6 },
      { start: 0, end: 3 },
      { start: 0, end: 4 },
      { start: 3, end: 6 },
      { start: 4, end: 8 },
      { start: 0, end: 8 },
    ]);
    tapped.client.destroy();
  });
});

describe("ByteStream", () => {
  it("makes the producer wait until the consumer has taken each piece", async () => {
    const stream = new ByteStream();
    const got: string[] = [];
    const consumer = (async () => {
      for await (const bytes of stream) got.push(Buffer.from(bytes).toString());
    })();
    await stream.push(Buffer.from("a"));
    await stream.push(Buffer.from("b"));
    expect(got).toEqual(["a", "b"]);
    stream.end();
    await consumer;
  });

  it("never hands on a body that failed as complete", async () => {
    const stream = new ByteStream();
    void stream.push(Buffer.from("half"));
    stream.fail(new Error("gone"));
    const read = async (): Promise<void> => {
      for await (const _ of stream) throw new Error("nothing of it may be seen");
    };
    await expect(read()).rejects.toThrow("gone");
  });

  it("frees the producer when the consumer stops early", async () => {
    const stream = new ByteStream();
    const pushed = stream.push(Buffer.from("a"));
    for await (const _ of stream) break;
    await pushed;
    expect(stream.push(Buffer.from("b"))).toBeUndefined();
    expect(stream.discarded).toBe(true);
  });
});

function fail(): never {
  throw new Error("a bug");
}
