// The HTTP bench: "Hello, World!" with Date and Content-Length over connections that stay open.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Load, Scenario, ServerBench } from "../bench.ts";
import { runLoadScript } from "../load-process.ts";
import { BROWSER, requestOf, SHORT } from "../load/requests.ts";
import { PIPELINE_DEPTH, wrk } from "../load/wrk.ts";
import { byBun, byDeno, nginx } from "../other-servers.ts";
import { has } from "../pin.ts";

const CONNECTIONS = 64;
/** How long a server may take to answer at all, in milliseconds. */
const ANSWER_LIMIT = 5000;
const hasWrk = has("wrk", "-v");

const PLAIN = "@tcpkit/http-lite, plain read";
const HONO = "Hono on @tcpkit/http-lite";
const HONO_ON_NODE = "Hono on node-server";
const DATA = "raw net, data events";
const ONREAD = "raw net, reused buffer";

const CORE_WHY =
  "Core's connection and driver add a tenth of a microsecond to the ceiling. HTTP adds one: the head that is read, as the " +
  "bench `parser` shows, an event, a request, a reply and its checked fields. In memory, without the kernel's turns in " +
  "between, the same takes half as long.";
const SOCKETS_WHY =
  "Node's own sockets leave little room: raw net on a reused buffer parses nothing, and is hardly ahead of nginx.";
const FIELDS_WHY =
  "Every byte of a head is checked, in JavaScript; with this many field lines that is the largest part of it. It takes " +
  "less than llhttp does, as the bench `parser` shows, but not three times less.";

/** Load by wrk, or where there is none by our own client, which takes more of a core for the same load. */
async function load(port: number, fields: readonly string[], depth: number, seconds: number): Promise<Load> {
  const url = `http://127.0.0.1:${port}/hello`;
  if (hasWrk) return wrk({ url, fields, connections: CONNECTIONS, depth, seconds });
  return runLoadScript("round-trips.ts", {
    port,
    seconds,
    connections: CONNECTIONS,
    payload: requestOf(fields).repeat(depth),
    answerBytes: depth * (await ask(port)).length,
    operations: depth,
  });
}

/** The whole answer to one request. Every server here sends its short answer in one piece. */
async function ask(port: number): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.write(requestOf(SHORT));
    const [answer] = (await once(socket, "data", { signal: AbortSignal.timeout(ANSWER_LIMIT) })) as [Buffer];
    return answer;
  } finally {
    socket.destroy();
  }
}

function scenario(name: string, title: string, fields: readonly string[], depth: number): Scenario {
  return {
    type: "speed",
    name,
    title: `${title}, ${CONNECTIONS} connections`,
    unit: "requests",
    run: (port, seconds) => load(port, fields, depth, seconds),
  };
}

const BROWSER_TITLE = `${BROWSER.length} field lines and ${requestOf(BROWSER).length} bytes`;

export const http: ServerBench = {
  type: "servers",
  name: "http",
  title: "Hello, World! over HTTP/1.1",
  contestants: [
    { name: "@tcpkit/http-lite", type: "script", file: "http-tcpkit.ts" },
    {
      name: PLAIN,
      type: "script",
      file: "http-tcpkit.ts",
      environment: { TCPKIT_FAST_READ: "off" },
    },
    { name: HONO, type: "script", file: "http-tcpkit-hono.ts" },
    { name: "node:http", type: "script", file: "http-node.ts" },
    { name: "Fastify", type: "script", file: "http-fastify.ts" },
    { name: HONO_ON_NODE, type: "script", file: "http-hono.ts" },
    { name: "srvx", type: "script", file: "http-srvx.ts" },
    { name: "h3", type: "script", file: "http-h3.ts" },
    { name: "Bun.serve", type: "program", command: (given) => byBun("http-bun.ts", given) },
    { name: "Deno.serve", type: "program", command: (given) => byDeno("http-deno.ts", given) },
    { name: "nginx", type: "program", command: nginx },
    { name: DATA, type: "script", file: "http-raw.ts" },
    { name: ONREAD, type: "script", file: "http-raw-onread.ts" },
  ],
  scenarios: [
    scenario("plain", "one request at a time", SHORT, 1),
    scenario("pipelined", `${PIPELINE_DEPTH} requests at once`, SHORT, PIPELINE_DEPTH),
    scenario("browser", `one request of ${BROWSER_TITLE} at a time`, BROWSER, 1),
    scenario(
      "browser, pipelined",
      `${PIPELINE_DEPTH} requests of ${BROWSER_TITLE} at once`,
      BROWSER,
      PIPELINE_DEPTH,
    ),
  ],
  targets: [
    { scenario: "plain", contestant: PLAIN, peer: "node:http", atLeast: 1.9, why: CORE_WHY },
    { scenario: "plain", contestant: PLAIN, peer: DATA, atLeast: 0.95, why: CORE_WHY },
    { scenario: "plain", peer: "node:http", atLeast: 2.3, why: CORE_WHY },
    { scenario: "plain", peer: "Bun.serve", atLeast: 1.05, why: SOCKETS_WHY },
    { scenario: "plain", peer: "nginx", atLeast: 0.95, why: SOCKETS_WHY },
    {
      scenario: "plain",
      contestant: HONO,
      peer: HONO_ON_NODE,
      atLeast: 2,
      why:
        "What lies between the first row and this one is Hono itself, of which both servers have the same, and a " +
        "Request and a Response for each request.",
    },
    { scenario: "pipelined", peer: "node:http", atLeast: 12, why: CORE_WHY },
    { scenario: "pipelined", peer: "nginx", atLeast: 4, why: CORE_WHY },
    { scenario: "pipelined", peer: "Bun.serve", atLeast: 4, why: CORE_WHY },
    { scenario: "pipelined", peer: "uWebSockets.js", atLeast: 2 },
    { scenario: "browser", peer: "node:http", atLeast: 3, why: FIELDS_WHY },
    { scenario: "browser, pipelined", peer: "node:http", atLeast: 6, why: FIELDS_WHY },
    { scenario: "browser, pipelined", peer: "Deno.serve", atLeast: 2, why: FIELDS_WHY },
  ],
  missing: [
    ...(hasWrk
      ? []
      : [{ name: "wrk", why: "not installed: load comes from our own client instead, which is slower" }]),
    { name: "uWebSockets.js", why: "the npm registry does not have it" },
  ],
  async check(port) {
    const answer = (await ask(port)).toString("latin1");
    assert.match(answer, /^HTTP\/1\.1 200 (OK)?\r\n/);
    assert.match(answer, /\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/i);
    assert.match(answer, /\r\nContent-Length: 13\r\n/i);
    assert.match(answer, /\r\n\r\nHello, World!$/);
  },
};
