// The accept bench: connections that come, have one answer and go.
import type { Load, ServerBench } from "../bench.ts";
import { runLoadScript } from "../load-process.ts";
import { check, CONTESTANTS, REQUEST } from "./first-answer.ts";

const CONCURRENCY = 64;
/**
 * Connections of one turn, at most. The side that closes first keeps its port in TIME_WAIT for a while (RFC 9293,
 * section 3.6.1), and the load has some 28,000 of them for each server.
 */
const MOST = 10_000;

function load(port: number, seconds: number, close: "end" | "reset"): Promise<Load> {
  const options = { port, seconds, close, most: MOST, concurrency: CONCURRENCY, payload: REQUEST };
  return runLoadScript("short-connections.ts", options);
}

export const accept: ServerBench = {
  type: "servers",
  name: "accept",
  title: "Connections that come and go",
  contestants: CONTESTANTS,
  scenarios: [
    {
      type: "speed",
      name: "ended",
      title: `connect, one round trip, close in good order, ${CONCURRENCY} connections at once`,
      unit: "connections",
      run: (port, seconds) => load(port, seconds, "end"),
    },
    {
      type: "speed",
      name: "reset",
      title: `connect, one round trip, and the client resets the connection, ${CONCURRENCY} at once`,
      unit: "connections",
      run: (port, seconds) => load(port, seconds, "reset"),
    },
  ],
  targets: ["ended", "reset"].flatMap((scenario) => [
    {
      scenario,
      peer: "raw net",
      atLeast: 0.95,
      why:
        "A connection of core's is more objects than a bare socket: the connection with its listeners and close " +
        "reason, the driver and its session, one deadline. And it asks the kernel who the client is, which raw net here does not.",
    },
    {
      scenario,
      peer: "node:http",
      atLeast: 1.5,
      why:
        "Raw net itself is only about 1.3 × node:http by CPU time, so this is beyond what can be had on Node's " +
        "sockets. The target comes from rates.",
    },
  ]),
  missing: [],
  check,
};
