// The echo bench: small messages on many connections, and one connection as fast as it goes.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { ServerBench } from "../bench.ts";
import { runLoadScript } from "../load-process.ts";

const CONNECTIONS = 64;
const MESSAGE = "x".repeat(64);

const PLAIN = "@tcpkit/echo, plain read";

const WRITE_CALL =
  "Seven tenths of either server's time is the write call. What is left is the event, the session and the outbox, " +
  "and socket.pipe has none of them.";

export const echo: ServerBench = {
  type: "servers",
  name: "echo",
  title: "What a client sends comes back",
  contestants: [
    { name: "@tcpkit/echo", type: "script", file: "echo-tcpkit.ts" },
    {
      name: PLAIN,
      type: "script",
      file: "echo-tcpkit.ts",
      environment: { TCPKIT_FAST_READ: "off" },
    },
    { name: "socket.pipe", type: "script", file: "echo-pipe.ts" },
    { name: "raw net, no backpressure", type: "script", file: "echo-raw.ts" },
  ],
  scenarios: [
    {
      type: "speed",
      name: "round trips",
      title: `${MESSAGE.length} bytes there and back, ${CONNECTIONS} connections`,
      unit: "round trips",
      run: (port, seconds) =>
        runLoadScript("round-trips.ts", {
          port,
          seconds,
          connections: CONNECTIONS,
          payload: MESSAGE,
          answerBytes: MESSAGE.length,
          operations: 1,
        }),
    },
    {
      type: "speed",
      name: "bulk",
      title: "one connection, as fast as its bytes come back",
      unit: "MiB",
      run: (port, seconds) => runLoadScript("bulk.ts", { port, seconds }),
    },
  ],
  targets: [
    { scenario: "round trips", peer: "socket.pipe", atLeast: 1.2, why: WRITE_CALL },
    { scenario: "round trips", contestant: PLAIN, peer: "socket.pipe", atLeast: 1, why: WRITE_CALL },
    {
      scenario: "bulk",
      peer: "socket.pipe",
      atLeast: 0.95,
      why: "Chunks that fill the buffer are handed on without a copy; what is left is the event, the session and the outbox of each.",
    },
  ],
  missing: [],
  async check(port) {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const sent = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
    socket.end(sent);
    assert.ok(sent.equals(Buffer.concat(await socket.toArray())), "the echo is not what was sent");
  },
};
