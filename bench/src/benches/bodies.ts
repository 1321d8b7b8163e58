// The bodies bench: large bodies to a server and from it.
import assert from "node:assert/strict";
import type { Scenario, ServerBench } from "../bench.ts";
import { runLoadScript } from "../load-process.ts";
import { byBun, byDeno } from "../other-servers.ts";

const CONNECTIONS = 4;
const MIB = 1_048_576;
/** Bytes of one body, both ways. The servers' answers to GET have as many. */
const SIZE = 32 * MIB;
/** 80 MB, as peak memory is measured in MiB. */
const PEAK = 76;

const OURS = "@tcpkit/http-lite";
const PLAIN = "@tcpkit/http-lite, plain read";

function scenario(name: string, method: "POST" | "GET", title: string): Scenario {
  return {
    type: "speed",
    fresh: true,
    name,
    title: `${title} of ${SIZE / MIB} MiB, ${CONNECTIONS} connections`,
    unit: "GiB",
    run: (port, seconds) =>
      runLoadScript("bodies.ts", { port, seconds, connections: CONNECTIONS, method, size: SIZE }),
  };
}

const PEAK_WHY =
  "All but some ten MiB of it is there before the first request: Node, and the modules of this program; of the rest most is " +
  "garbage that V8 has not collected yet.";

export const bodies: ServerBench = {
  type: "servers",
  name: "bodies",
  title: "Large bodies over HTTP/1.1",
  contestants: [
    { name: OURS, type: "script", file: "bodies-tcpkit.ts" },
    {
      name: PLAIN,
      type: "script",
      file: "bodies-tcpkit.ts",
      environment: { TCPKIT_FAST_READ: "off" },
    },
    { name: "node:http", type: "script", file: "bodies-node.ts" },
    { name: "Bun.serve", type: "program", command: (given) => byBun("bodies-bun.ts", given) },
    { name: "Deno.serve", type: "program", command: (given) => byDeno("bodies-deno.ts", given) },
    { name: "raw net", type: "script", file: "bodies-raw.ts" },
  ],
  scenarios: [scenario("upload", "POST", "bodies"), scenario("download", "GET", "replies")],
  targets: [
    {
      scenario: "upload",
      atMost: 250_000,
      why: "Nine tenths of it is the kernel, which copies each byte; pieces are lent, and read into the same few buffers again.",
    },
    { scenario: "upload", atMost: PEAK, of: "peak memory", why: PEAK_WHY },
    {
      scenario: "download",
      peer: "node:http",
      atLeast: 1,
      why: "Both write the same pieces in a loop; what is between them is a promise for each time that the client is slow.",
    },
    { scenario: "download", atMost: PEAK, of: "peak memory", why: PEAK_WHY },
  ],
  missing: [],
  async check(port) {
    const url = `http://127.0.0.1:${port}/`;
    const posted = await fetch(url, { method: "POST", body: "x".repeat(100_000) });
    assert.equal(await posted.text(), "100000", "not all of an upload was counted");
    assert.equal((await (await fetch(url)).bytes()).length, SIZE, "a download has another length");
  },
};
