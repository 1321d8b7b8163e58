import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { acceptFastReaders } from "../src/fast-read.ts";
import { recycle, serve } from "../src/index.ts";
import type { Connection, Listener, Observation, Protocol, ServeOptions, Span } from "../src/index.ts";
import { READ_SIZE } from "../src/read-buffers.ts";
import { closed, rawClient } from "./support.ts";

const off = process.env["TCPKIT_FAST_READ"] === "off";

/** Accepts one connection, and says what the stream machinery of its socket was given to do. */
async function accept(server: Server): Promise<{ client: Socket; socket: Socket; pushed: () => number }> {
  const accepting = once(server, "connection") as Promise<[Socket]>;
  const client = await rawClient((server.address() as AddressInfo).port);
  const [socket] = await accepting;
  const push = socket.push.bind(socket);
  let pushed = 0;
  socket.push = (chunk: Buffer | null) => {
    if (chunk !== null) pushed += 1;
    return push(chunk);
  };
  return { client, socket, pushed: () => pushed };
}

// If this fails on a new version of Node, nothing is broken but speed: see fast-read.ts.
it("is in use unless it is switched off, and hands out chunks that stay as they are", async () => {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  acceptFastReaders(server);
  const { client, socket, pushed } = await accept(server);
  expect(socket.isPaused()).toBe(true);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  for (const text of ["one", "two", "three"]) {
    client.write(text);
    await once(socket, "data");
  }
  client.end();
  await once(socket, "end");
  expect(chunks.map(String)).toEqual(["one", "two", "three"]);
  expect(pushed()).toBe(off ? 3 : 0);
  socket.end();
  server.close();
  await once(server, "close");
});

it("hands out chunks that stay as they are where much comes at once, and little again after it", async () => {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  acceptFastReaders(server);
  const { client, socket } = await accept(server);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  const sent = Array.from({ length: 40 }, (_, index) => Buffer.alloc(100_000, index + 1));
  for (const piece of sent) {
    client.write(piece);
    client.write("little");
    if (chunks.length % 3 === 0) await once(socket, "data");
  }
  client.end("the end");
  await once(socket, "end");
  const expected = [...sent.flatMap((piece) => [piece, Buffer.from("little")]), Buffer.from("the end")];
  expect(Buffer.concat(chunks).equals(Buffer.concat(expected))).toBe(true);
  socket.end();
  server.close();
  await once(server, "close");
});

interface Chunk extends Span {
  readonly bytes: Uint8Array;
}

/** Each chunk is an event, as it was read. */
const chunkProtocol: Protocol<Chunk, never> = {
  name: "chunks",
  session() {
    const chunks: Uint8Array[] = [];
    let start = 0;
    let ended = false;
    return {
      state: "",
      partial: false,
      get finished() {
        return ended && chunks.length === 0;
      },
      receive: (bytes) => chunks.push(bytes),
      next() {
        const bytes = chunks.shift();
        if (bytes === undefined) return undefined;
        const event = { bytes, start, end: start + bytes.length };
        start = event.end;
        return event;
      },
      send: () => "",
      end: () => (ended = true),
    };
  },
};

/** 4 MiB in which no two places look alike. */
const large = Buffer.alloc(4 * 1024 * 1024);
for (let at = 0; at < large.length; at += 4) large.writeUInt32LE(at, at);

/** Sends it to a server that gives each chunk back at once, and hears of each connection before it reads. */
async function upload(options: ServeOptions, accepted?: (connection: Connection) => void): Promise<Chunk[]> {
  const given: Chunk[] = [];
  const listener = await serve(
    chunkProtocol,
    (event) => {
      given.push(event);
      recycle(event.bytes);
    },
    options,
  );
  listener.on("connection", (connection) => accepted?.(connection));
  await sendLarge(listener);
  return given;
}

/** To a server that closes then. */
async function sendLarge(listener: Listener): Promise<void> {
  const accepting = once(listener, "connection") as Promise<[Connection]>;
  const client = await rawClient(listener.port);
  const [connection] = await accepting;
  client.end(large);
  client.resume();
  await closed(connection);
  await listener.close();
}

describe("memory that a protocol gives back", () => {
  it.skipIf(off)("is read into again", async () => {
    const long = (await upload({})).filter(({ bytes }) => bytes.length >= READ_SIZE / 2);
    const memory = new Set(long.map(({ bytes }) => bytes.buffer));
    expect(memory.size).toBeLessThan(long.length);
  });

  it("is left alone where a listener of `data` was shown it", async () => {
    const kept: Buffer[] = [];
    await upload({}, (connection) => connection.on("data", (chunk) => kept.push(chunk)));
    expect(Buffer.concat(kept).equals(large)).toBe(true);
  });

  it("is left alone where that listener came while the chunk was being handled, and left with it", async () => {
    const kept: [Buffer, Buffer][] = [];
    const listener = await serve(
      chunkProtocol,
      ({ bytes }, { connection }) => {
        connection.once("data", (chunk) => kept.push([chunk, Buffer.from(chunk)]));
        recycle(bytes);
      },
      {},
    );
    await sendLarge(listener);
    expect(kept.length).toBeGreaterThan(0);
    for (const [chunk, copy] of kept) expect(chunk.equals(copy)).toBe(true);
  });

  it("is left alone where a tap was shown it", async () => {
    const kept: Uint8Array[] = [];
    const observe = (observation: Observation): void => {
      if (observation.kind === "data" && observation.dir === "in") kept.push(observation.bytes);
    };
    await upload({ tap: { observe } });
    expect(Buffer.concat(kept).equals(large)).toBe(true);
  });
});
