// Load of large bodies, one after the other on each connection. A script of its own, run as `round-trips.ts` is; an
// operation is one GiB of bodies. What has begun when the time is over is finished, and counts.
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";

export interface Bodies {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** POST sends a body, and is told how long it was; GET receives one. */
  readonly method: "POST" | "GET";
  /** Bytes of a body. */
  readonly size: number;
}

const PIECE = Buffer.alloc(262_144, "tcpkit");
const { port, connections, seconds, method, size } = JSON.parse(process.argv[2] ?? "{}") as Bodies;
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const start = performance.now();
const until = start + seconds * 1000;
let bytes = 0;

async function run(): Promise<void> {
  while (performance.now() < until) {
    const headers = method === "POST" ? { "content-length": size } : {};
    const asked = request({ port, host: "127.0.0.1", path: "/", method, headers, agent });
    const answered = once(asked, "response") as Promise<[IncomingMessage]>;
    if (method === "POST") await send(asked);
    asked.end();
    const [response] = await answered;
    const { text, length } = await take(response);
    if (method === "POST")
      assert.equal(text, String(size), "the server counted something else than was sent");
    else assert.equal(length, size, "the reply had another length");
    bytes += size;
  }
}

async function send(asked: ClientRequest): Promise<void> {
  for (let left = size; left > 0; left -= PIECE.length) {
    if (!asked.write(PIECE)) await once(asked, "drain");
  }
}

/** What came, and its beginning as text. */
async function take(response: IncomingMessage): Promise<{ text: string; length: number }> {
  let length = 0;
  let text = "";
  response.on("data", (chunk: Buffer) => {
    if (length === 0) text = chunk.toString("latin1", 0, 20);
    length += chunk.length;
  });
  await once(response, "end");
  return { text, length };
}

await Promise.all(Array.from({ length: connections }, run));
console.log(JSON.stringify({ operations: bytes / 2 ** 30, seconds: (performance.now() - start) / 1000 }));
agent.destroy();
