// A proxy and the server behind it must never disagree where a request ends. The payloads of support/smuggling.ts and the
// inputs of http-lite's vectors go through proxies that keep their connections to the server; after each, somebody else's
// request must get its own reply.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Token } from "@tcpkit/core";
import { serveHttp } from "@tcpkit/http-lite";
import type { HttpRequest, HttpResult } from "@tcpkit/http-lite";
import { describe, expect, it } from "vitest";
import { Conversations } from "./support/conversations.ts";
import { fronts, plainNginx } from "./support/fronts.ts";
import type { Front } from "./support/fronts.ts";
import { payloads } from "./support/smuggling.ts";
import type { Payload } from "./support/smuggling.ts";
import { hasTool } from "./support/tools.ts";

const files = ["body-framing", "connections", "fields", "request-lines"];
const all: readonly Payload[] = [...payloads, ...files.flatMap(vectors)];

/** Behind an input of the vectors stands a request as well. */
function vectors(file: string): Payload[] {
  const url = new URL(`../../http-lite/vectors/${file}.json`, import.meta.url);
  const list = JSON.parse(readFileSync(url, "utf8")) as { name: string; input: string }[];
  return list.map(({ name, input }) => ({
    name: `${file}.json, ${name}`,
    bytes: `${input}GET /second HTTP/1.1\r\nHost: a\r\n\r\n`,
  }));
}

/** Answers with the target. It leaves unread what is sent to `/unread`. */
async function answer(request: HttpRequest): Promise<HttpResult> {
  if (!request.target.startsWith("/unread")) await request.bytes();
  return request.target;
}

describe.concurrent("no request is smuggled past", () => {
  for (const front of fronts) {
    const cases = [
      { how: "whole", pieces: 1 },
      { how: "in pieces", pieces: 5 },
    ];
    it.skipIf(!hasTool(front.file)).for(cases)(`${front.name}, $how`, async ({ pieces }) => {
      const conversations = new Conversations();
      await using server = await serveHttp(answer, { port: 0, tap: conversations });
      expect(await wrongReplies(front, server.port, all, pieces, conversations)).toEqual([]);
      expect(conversations.disagreements()).toEqual([]);
      // A smuggled request does harm where clients share connections: they did.
      const { connections, requests } = conversations.counts;
      expect(requests).toBeGreaterThan(all.length);
      expect(requests / connections).toBeGreaterThan(3);
    });
  }

  it.skipIf(!hasTool(plainNginx.file))("and a server that ignores bodies is found out", async () => {
    const conversations = new Conversations();
    const server = careless(conversations);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const some = all.filter(({ name }) => name === "GET with a body" || name === "POST without a length");
    await wrongReplies(plainNginx, port, some, 1, conversations);
    expect(conversations.disagreements()).toEqual([
      expect.stringMatching(/^GET with a body \(.*\): the proxy wrote /),
    ]);
    server.close();
  });
});

/** Sends each payload and then a request on a connection of its own. Returns what came instead of its reply. */
async function wrongReplies(
  front: Front,
  port: number,
  list: readonly Payload[],
  pieces: number,
  conversations: Conversations,
): Promise<string[]> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "tcpkit-front-"));
  const socketPath = join(folder.path, "front");
  await using _ = await front.start(folder.path, socketPath, port);
  const wrong: string[] = [];
  for (const [index, { name, bytes }] of list.entries()) {
    const shown = `${name} (${JSON.stringify(bytes.slice(0, 300))})`;
    conversations.payload = shown;
    await exchange(socketPath, bytes, pieces);
    const target = `/probe-${index}`;
    const reply = await exchange(
      socketPath,
      `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      1,
    );
    if (!/^HTTP\/1.1 200 /.test(reply) || !reply.endsWith(`\r\n\r\n${target}`)) {
      wrong.push(`${shown}: ${JSON.stringify(reply)}`);
      // What is wrong with one is often wrong with hundreds.
      if (wrong.length === 3) break;
    }
  }
  return wrong;
}

/** Sends the bytes in so many pieces, and returns what came until the proxy closed, or said nothing more. */
async function exchange(socketPath: string, bytes: string, pieces: number): Promise<string> {
  const socket = createConnection(socketPath);
  let received = "";
  // HAProxy drops requests that wait behind another when the client has ended: so it waits, with a patience that decides
  // how many requests are made of the bytes, but not whether the two sides agree.
  let quiet = setTimeout(() => socket.end(), 50);
  socket.setEncoding("latin1").on("data", (text: string) => {
    received += text;
    clearTimeout(quiet);
    quiet = setTimeout(() => socket.end(), 5);
  });
  // Who refuses a request may reset the connection while more of it comes.
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) {
    if (at > 0) await nextTurn();
    socket.write(bytes.slice(at, at + size), "latin1");
  }
  await closed;
  clearTimeout(quiet);
  return received;
}

/** Takes everything up to an empty line for a request, as if there were no bodies. */
function careless(conversations: Conversations): ReturnType<typeof createServer> {
  let count = 0;
  return createServer((socket) => {
    const conn = (count += 1);
    let received = "";
    let start = 0;
    conversations.observe({ kind: "connection", conn, service: "careless" });
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const span = { start: received.length, end: received.length + bytes.length };
      conversations.observe({ kind: "data", conn, dir: "in", span, bytes });
      received += bytes.toString("latin1");
      for (;;) {
        const end = received.indexOf("\r\n\r\n", start) + 4;
        if (end < 4) return;
        const tokens: Token[] = [...received.slice(start, end).matchAll(/^X-Stamp: (.*)\r$/gm)].flatMap(
          (match) => [
            { name: "field-name", start: start + match.index, end: start + match.index + 7 },
            {
              name: "field-value",
              start: start + match.index + 9,
              end: start + match.index + match[0].length - 1,
            },
          ],
        );
        conversations.observe({
          kind: "message",
          conn,
          dir: "in",
          type: "request",
          text: "",
          span: { start, end },
          tokens,
        });
        start = end;
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      }
    });
  });
}
