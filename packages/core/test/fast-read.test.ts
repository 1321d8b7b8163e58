import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { expect, it } from "vitest";
import { acceptFastReaders } from "../src/fast-read.ts";
import { rawClient } from "./support.ts";

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
