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
  "Few chunks are held at once. The rest is Node itself, as the row of raw net shows, and garbage that V8 has not collected yet.";

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
      why: "A handler may keep each chunk, so each is new memory, and V8 collects its whole heap whenever some 64 MiB of that have gathered. To read into the same buffer again would halve the cost, and break whoever keeps chunks.",
    },
    { scenario: "upload", atMost: PEAK, of: "peak memory", why: PEAK_WHY },
    {
      scenario: "download",
      peer: "node:http",
      atLeast: 1,
      why: "A body is an async iterable, and each piece of it is a promise; node:http is given its pieces in a loop here.",
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
