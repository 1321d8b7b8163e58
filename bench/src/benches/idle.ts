// The idle bench: what a connection costs that says nothing.
import type { ServerBench } from "../bench.ts";
import { holdLoadScript } from "../load-process.ts";
import { descriptorLimit } from "../operating-system.ts";
import { check, CONTESTANTS, REQUEST } from "./first-answer.ts";

/** Descriptors that a server or a load may want for anything else. Ours admits nobody for its last 64. */
const SPARE = 200;

export const idle: ServerBench = {
  type: "servers",
  name: "idle",
  title: "Memory of connections that do nothing",
  contestants: CONTESTANTS,
  scenarios: [
    {
      type: "memory",
      name: "after one round trip",
      title: "what the server's resident memory grew by, after its garbage was collected",
      unit: "connections",
      hold: (port, connections) =>
        holdLoadScript("idle-connections.ts", {
          port,
          connections: Math.min(connections, descriptorLimit() - SPARE),
          payload: REQUEST,
        }),
    },
  ],
  targets: [{ scenario: "after one round trip", atMost: 4 }],
  missing: [],
  check,
};
