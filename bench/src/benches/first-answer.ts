// Who takes part where connections count, not what they say: echo servers and node:http, told apart by nothing that the
// load does. All get the same bytes, an HTTP request; whatever comes back is an answer.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { ServerBench } from "../bench.ts";

export const REQUEST = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

export const CONTESTANTS: ServerBench["contestants"] = [
  { name: "@tcpkit/echo", type: "script", file: "echo-tcpkit.ts" },
  {
    name: "@tcpkit/echo, plain read",
    type: "script",
    file: "echo-tcpkit.ts",
    environment: { TCPKIT_FAST_READ: "off" },
  },
  { name: "raw net", type: "script", file: "echo-raw.ts" },
  { name: "node:http", type: "script", file: "http-node.ts" },
];

/** @throws AssertionError when the answer is neither the request itself nor an HTTP response. */
export async function check(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.write(REQUEST);
    const [bytes] = (await once(socket, "data")) as [Buffer];
    const answer = bytes.toString("latin1");
    if (answer !== REQUEST) assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nHello, World!$/);
  } finally {
    socket.destroy();
  }
}
