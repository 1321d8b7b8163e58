// The HTTP bench: "Hello, World!" with Date and Content-Length over connections that stay open.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Bench, Load } from "../bench.ts";
import { runLoadScript } from "../load-process.ts";
import { PIPELINE_DEPTH, wrk } from "../load/wrk.ts";
import { has } from "../pin.ts";

const CONNECTIONS = 64;
const REQUEST = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const hasWrk = has("wrk", "-v");

/** Load by wrk, or where there is none by our own client, which takes more of a core for the same load. */
async function load(port: number, depth: number, seconds: number): Promise<Load> {
  if (hasWrk) return wrk(`http://127.0.0.1:${port}/hello`, CONNECTIONS, depth, seconds);
  return runLoadScript("round-trips.ts", {
    port,
    seconds,
    connections: CONNECTIONS,
    payload: REQUEST.repeat(depth),
    answerBytes: depth * (await ask(port)).length,
    operations: depth,
  });
}

/** The whole answer to one request. Every server here sends its short answer in one piece. */
async function ask(port: number): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.write(REQUEST);
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer;
  } finally {
    socket.destroy();
  }
}

export const http: Bench = {
  name: "http",
  title: "Hello, World! over HTTP/1.1",
  contestants: [
    { name: "@tcpkit/http-lite", type: "script", file: "http-tcpkit.ts" },
    { name: "node:http", type: "script", file: "http-node.ts" },
    { name: "raw net, constant answer", type: "script", file: "http-raw.ts" },
  ],
  scenarios: [
    {
      type: "speed",
      name: "plain",
      title: `one request at a time, ${CONNECTIONS} connections`,
      unit: "requests",
      run: (port, seconds) => load(port, 1, seconds),
    },
    {
      type: "speed",
      name: "pipelined",
      title: `${PIPELINE_DEPTH} requests at once, ${CONNECTIONS} connections`,
      unit: "requests",
      run: (port, seconds) => load(port, PIPELINE_DEPTH, seconds),
    },
  ],
  targets: [
    { scenario: "plain", peer: "node:http", atLeast: 1.5 },
    { scenario: "plain", peer: "raw net, constant answer", atLeast: 0.75 },
  ],
  missing: hasWrk
    ? []
    : [{ name: "wrk", why: "not installed: load comes from our own client instead, which is slower" }],
  async check(port) {
    const answer = (await ask(port)).toString("latin1");
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/i);
    assert.match(answer, /\r\nContent-Length: 13\r\n/i);
    assert.match(answer, /\r\n\r\nHello, World!$/);
  },
};
