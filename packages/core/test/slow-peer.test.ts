// A client whose peer is slow to take what it sends: `pullWhileSlow` of drive().
import { describe, expect, it } from "vitest";
import { drive, lineProtocol, lines } from "../src/index.ts";
import { drain } from "../src/drain.ts";
import type { Connection, Deadlines, Handled, LineEvent, Peer, Session } from "../src/index.ts";
import { drip, fakeClock, pair, stallAfter } from "../src/testing/index.ts";
import type { FakeClock, PairOptions } from "../src/testing/index.ts";
import { closed, readAll } from "./support.ts";

/** A settled turn of the event loop: enough for in-memory bytes to arrive. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Many writes: a wire in memory takes a whole one at once, however large. */
const LINE = "x".repeat(9998);
const LINES = 100;
const BYTES = LINES * 10_000;

interface Uploading {
  readonly client: Connection;
  readonly server: Connection;
  readonly peer: Peer<string>;
  readonly clock: FakeClock;
  /** What the client's handler was given. */
  readonly heard: string[];
}

interface UploadingOptions {
  readonly faults?: PairOptions["faults"];
  readonly deadlines?: Deadlines;
  readonly pullWhileSlow?: boolean;
  readonly handler?: (event: LineEvent) => Handled<string>;
  /** Adds to the client's session. */
  readonly extend?: (session: Session<LineEvent, string>) => void;
}

/** A client that has sent more than a server takes, which is paused. */
function uploading(options: UploadingOptions = {}): Uploading {
  const { faults, deadlines, pullWhileSlow = true, handler, extend } = options;
  const session = lines().session();
  extend?.(session);
  const clock = fakeClock();
  const { client, server } = pair({ clock, faults });
  const heard: string[] = [];
  const hear = (event: LineEvent): Handled<string> => {
    heard.push(event.text);
    return handler?.(event);
  };
  server.allowHalfOpen = true;
  server.pause();
  const peer = drive(client, { name: "lines", session: () => session }, hear, { deadlines, pullWhileSlow });
  for (let count = 0; count < LINES; count++) peer.send(LINE);
  expect(client.congested).toBe(true);
  return { client, server, peer, clock, heard };
}

describe("a client whose peer takes nothing", () => {
  it.each([
    [true, ["stop", "really"]],
    [false, []],
  ])("hears it with pullWhileSlow: %s", async (pullWhileSlow, events) => {
    const { server, heard } = uploading({ pullWhileSlow });
    server.write("stop\n");
    await turn();
    server.write("really\n");
    await turn();
    expect(heard).toEqual(events);
  });

  it("gets along with one that reads on when its answers are taken", async () => {
    const { client, server } = pair();
    const answer = "y".repeat(98);
    let answered = 0;
    // As servers do that read, write and read again, one thing at a time.
    drive(server, lineProtocol, () => answer);
    const peer = drive(client, lines(), () => void (answered += 1), { pullWhileSlow: true });
    peer.send("x".repeat(98));
    for (let count = 1; count < 5000; count++) peer.send("x".repeat(98));
    while (answered < 5000) await turn();
    expect(client.congested).toBe(false);
  });

  it("holds it back while a handler's promise is pending", async () => {
    const { client, server, heard } = uploading({ handler: () => new Promise<undefined>(() => {}) });
    for (let count = 0; count < 100; count++) {
      server.write(`${LINE.slice(0, 999)}\n`.repeat(10));
      await turn();
    }
    expect(heard).toHaveLength(1);
    expect(client.bytesReceived).toBeLessThan(100_000);
    expect(server.congested).toBe(true);
  });
});

describe("deadlines of a client whose peer is slow", () => {
  async function advance({ clock }: Uploading, seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000);
      await turn();
    }
  }

  it("of writing: what the peer says does not put it off", async () => {
    const play = uploading({ deadlines: { write: 5000 } });
    for (let second = 0; second < 8 && play.client.closeReason === undefined; second++) {
      play.server.write("a line\n");
      await turn();
      await advance(play, 1);
    }
    expect(play.client.closeReason).toMatchObject({ kind: "timeout", deadline: "write" });
    expect(play.heard.length).toBeGreaterThan(4);
  });

  it("of a message: what it has begun, it has to end", async () => {
    const play = uploading({ faults: { toServer: drip(500) }, deadlines: { message: 5000 } });
    play.server.resume();
    play.server.write("a line\nhalf a l");
    await turn();
    await advance(play, 4);
    play.server.write("i");
    await turn();
    await advance(play, 2);
    expect(play.heard).toEqual(["a line"]);
    expect(play.client.closeReason).toEqual({ kind: "timeout", deadline: "message" });
  });

  it("between messages: it need not say anything before it has taken all", async () => {
    const play = uploading({ faults: { toServer: drip(500) }, deadlines: { idle: 5000, message: 5000 } });
    play.server.resume();
    play.server.write("a line\n");
    await turn();
    await advance(play, 60);
    expect(play.client.closeReason).toBeUndefined();
    play.client.destroy();
  });

  it("between messages: it runs once all is taken", async () => {
    const play = uploading({ deadlines: { idle: 5000 } });
    play.server.write("a line\n");
    await turn();
    await advance(play, 20);
    play.server.resume();
    while (play.client.congested) await turn();
    await advance(play, 4);
    expect(play.client.closeReason).toBeUndefined();
    await advance(play, 2);
    expect(play.client.closeReason).toEqual({ kind: "timeout", deadline: "idle" });
  });

  it.each([true, false])(
    "run again after a drain began meanwhile, with pullWhileSlow: %s",
    async (pullWhileSlow) => {
      // It may still have something to say, and is not closed at once.
      const extend = (session: object): void => void Object.assign(session, { notify: () => {} });
      const play = uploading({ deadlines: { idle: 5000 }, pullWhileSlow, extend });
      void drain([play.client]);
      play.server.resume();
      while (play.client.congested) await turn();
      await advance(play, 6);
      expect(play.client.closeReason).toEqual({ kind: "timeout", deadline: "first-byte" });
      play.client.destroy();
    },
  );
});

describe("the end of a client whose peer is slow", () => {
  it("by the peer: its last words are heard, and what was sent still leaves", async () => {
    const { client, server, heard } = uploading();
    server.write("goodbye\n");
    server.end();
    await turn();
    await turn();
    expect(heard).toEqual(["goodbye"]);
    expect(client.closeReason).toBeUndefined();
    const received = readAll(server);
    server.resume();
    expect(await received).toHaveLength(BYTES);
    expect(await closed(client)).toEqual({ kind: "ended" });
  });

  it("by the peer in the middle of a message: it is nobody's deadline", async () => {
    const { client, server, clock } = uploading({ deadlines: { message: 5000, write: 60_000 } });
    server.write("good");
    await turn();
    server.end();
    await turn();
    await turn();
    clock.advance(20_000);
    expect(client.closeReason).toBeUndefined();
    server.resume();
    expect(await closed(client)).toEqual({ kind: "ended" });
  });

  it("by close(): what was sent leaves, and nothing is heard any more, though the peer may have to say it", async () => {
    let kept = 0;
    const extend = (session: Session<LineEvent, string>): void => {
      session.receive = ({ length }) => void (kept += length);
    };
    const { client, server, peer, heard } = uploading({ extend });
    peer.close();
    // It reads on when that has been taken.
    server.write("z\n".repeat(500_000));
    server.once("drain", () => server.resume());
    expect(await readAll(server)).toHaveLength(BYTES);
    expect(client.closeReason).toEqual({ kind: "local" });
    expect({ heard, kept }).toEqual({ heard: [], kept: 0 });
  });

  it("by a drain: what was sent leaves", async () => {
    const { client, server } = uploading();
    const drained = drain([client]);
    server.write("a line\n");
    await turn();
    expect(client.closeReason).toBeUndefined();
    const received = readAll(server);
    server.resume();
    expect(await received).toHaveLength(BYTES);
    server.end();
    expect(await drained).toEqual({ drained: 1, cut: 0 });
  });

  it("by its own failure: it does not wait for the peer to take the rest", async () => {
    const { client, server, clock } = uploading({ faults: { toServer: stallAfter(0) } });
    server.write(`${"y".repeat(100_000)}\n`);
    await turn();
    await turn();
    expect(client.closeReason).toMatchObject({ kind: "protocol", cause: { code: "line-too-long" } });
    clock.advance(3000);
    await closed(client);
  });
});
