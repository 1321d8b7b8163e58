import { once } from "node:events";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, it, vi } from "vitest";
import { connect, drive, lineProtocol, serve } from "../src/index.ts";
import type { Handler, LineEvent, Observation, Session } from "../src/index.ts";
import { fakeClock, pair, splitEvery } from "../src/testing/index.ts";
import { closed, readAll } from "./support.ts";

/** Answers lines; after `raw` whatever comes is sent back as it is. */
function thenEcho(taken: (stream: Duplex) => void = () => {}): Handler<LineEvent, string> {
  return ({ text }, peer) => {
    if (text !== "raw") return text;
    peer.send("as you like");
    const stream = peer.takeOver();
    taken(stream);
    pipeline(stream, stream).catch(() => {});
    return undefined;
  };
}

describe("takeOver", () => {
  it("hands over what was not pulled yet, after what was sent, however the bytes are cut", async () => {
    for (const faults of [[], splitEvery(1), splitEvery(7)]) {
      const { client, server } = pair({ faults });
      drive(server, lineProtocol, thenEcho());
      client.write("one\r\nraw\r\nno line\r\n\r\nat all");
      client.end();
      expect(await readAll(client)).toBe("one\r\nas you like\r\nno line\r\n\r\nat all");
      expect((await closed(server)).kind).toBe("ended");
    }
  });

  it("carries large amounts both ways under backpressure, on a socket", async () => {
    await using listener = await serve(lineProtocol, thenEcho());
    const client = await connect({ port: listener.port, allowHalfOpen: true });
    const sent = Buffer.alloc(4_000_000, "0123456789abcdef");
    const chunks: Buffer[] = [];
    client.on("data", (chunk) => chunks.push(chunk));
    client.write("raw\r\n");
    client.write(sent);
    client.end();
    await closed(client);
    expect(Buffer.concat(chunks).equals(Buffer.concat([Buffer.from("as you like\r\n"), sent]))).toBe(true);
  });

  it("is no concern of the protocol's deadlines any more, and stays in the event log", async () => {
    const clock = fakeClock();
    const seen: Observation[] = [];
    const tap = { observe: (observation: Observation) => void seen.push(observation) };
    const streams: Duplex[] = [];
    const { client, server } = pair({ clock, connection: { tap } });
    const taken = thenEcho((stream) => streams.push(stream));
    drive(server, lineProtocol, taken, { deadlines: { idle: 1000, message: 1000 } });
    let text = "";
    client.on("data", (chunk) => (text += chunk.toString()));
    client.write("raw\r\n12345");
    await vi.waitFor(() => expect(text).toBe("as you like\r\n12345"));
    clock.advance(60_000);
    client.write("67");
    await vi.waitFor(() => expect(text).toBe("as you like\r\n1234567"));
    const last = seen.findLast(
      (observation) =>
        observation.kind === "data" && observation.conn === server.id && observation.dir === "out",
    );
    expect(last).toMatchObject({ span: { start: 18, end: 20 } });
    streams[0]?.destroy(new Error("enough"));
    expect(await closed(server)).toMatchObject({ kind: "aborted", cause: { message: "enough" } });
  });

  it("tells the stream of a reset, and refuses to write after it", async () => {
    const streams: Duplex[] = [];
    const { client, server } = pair();
    drive(
      server,
      lineProtocol,
      thenEcho((stream) => streams.push(stream)),
    );
    client.write("raw\r\n");
    await once(client, "data");
    const [stream] = streams;
    if (stream === undefined) throw new Error("not taken over");
    const failed = once(stream, "error");
    client.reset();
    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
    expect(stream.destroyed).toBe(true);
    expect((await closed(server)).kind).toBe("reset");
  });

  it("is cut by a drain at its deadline", async () => {
    const listener = await serve(lineProtocol, thenEcho());
    const client = await connect({ port: listener.port });
    client.write("raw\r\n");
    await once(client, "data");
    expect(await listener.close({ deadline: 20 })).toEqual({ drained: 0, cut: 1 });
  });

  it("needs a session that can give up its rest", async () => {
    const { client, server } = pair();
    const session = (): Session<LineEvent, string> =>
      Object.assign(lineProtocol.session(), { rest: undefined });
    drive(server, { name: "bare", session }, thenEcho());
    client.write("raw\r\n");
    expect(await closed(server)).toMatchObject({ kind: "local", cause: { cause: { code: "bad-option" } } });
  });
});
