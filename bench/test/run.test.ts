// One short round from end to end. It proves that the machinery works; it looks at no figure.
import assert from "node:assert/strict";
import { expect, it } from "vitest";
import type { ServerBench, WorkBench } from "../src/bench.ts";
import { accept } from "../src/benches/accept.ts";
import { echo } from "../src/benches/echo.ts";
import { idle } from "../src/benches/idle.ts";
import { parser } from "../src/benches/parser.ts";
import { holdLoadScript } from "../src/load-process.ts";
import { BROWSER, requestOf } from "../src/load/requests.ts";
import { has } from "../src/pin.ts";
import { terminalReport } from "../src/report.ts";
import { run } from "../src/runner.ts";

const OPTIONS = { rounds: 1, seconds: 0.2, connections: 50, node: process.execPath };

it("runs every contestant and names the ones that cannot run", { timeout: 60_000 }, async () => {
  const bench: ServerBench = {
    ...echo,
    contestants: [
      echo.contestants[0],
      { name: "a script that is not there", type: "script", file: "none.ts" },
      { name: "a program that is not there", type: "program", command: () => ["tcpkit-no-such-program"] },
      { name: "raw", type: "script", file: "echo-raw.ts" },
    ],
  };
  const lines: string[] = [];
  const result = await run(bench, { ...OPTIONS, log: (line) => lines.push(line) });

  expect(result.contestants.map(({ name }) => name)).toEqual(["@tcpkit/echo", "raw"]);
  expect(result.missing.map(({ name }) => name)).toEqual([
    "a script that is not there",
    "a program that is not there",
  ]);
  expect(lines.filter((line) => line.startsWith("MISSING"))).toHaveLength(2);
  // In turns: every contestant in one scenario before the next scenario.
  expect(result.samples.map(({ scenario, contestant }) => `${scenario}, ${contestant}`)).toEqual([
    "round trips, @tcpkit/echo",
    "round trips, raw",
    "bulk, @tcpkit/echo",
    "bulk, raw",
  ]);
  for (const { operations, seconds } of result.samples) {
    expect(operations).toBeGreaterThan(0);
    expect(seconds).toBeGreaterThan(0);
  }
  expect(terminalReport(result)).toContain("MISSING a program that is not there");
});

it("does not measure a server that gives wrong answers", { timeout: 60_000 }, async () => {
  const bench: ServerBench = {
    ...echo,
    // It answers, but it is no echo server.
    contestants: [{ name: "liar", type: "script", file: "http-node.ts" }],
  };
  const result = await run(bench, { ...OPTIONS, log: () => {} });
  expect(result.samples).toEqual([]);
  expect(result.missing).toEqual([{ name: "liar", why: expect.stringContaining("not what was sent") }]);
});

it("opens and closes connections, in good order and by resets", { timeout: 60_000 }, async () => {
  const result = await run(accept, { ...OPTIONS, log: () => {} });
  expect(result.missing).toEqual([]);
  expect(result.samples).toHaveLength(accept.contestants.length * 2);
  expect(result.settings).toEqual({ rounds: 1, seconds: 0.2 });
});

it("holds connections that do nothing, and tells the memory of each", { timeout: 60_000 }, async () => {
  const [ours, , , http] = idle.contestants;
  assert.ok(http);
  const bench: ServerBench = { ...idle, contestants: [ours, http] };
  const result = await run(bench, { ...OPTIONS, log: () => {} });
  expect(result.missing).toEqual([]);
  expect(result.settings).toEqual({ rounds: 1, connections: 50 });
  expect(result.samples.map(({ contestant, operations }) => [contestant, operations])).toEqual(
    [ours, http].map(({ name }) => [name, 50]),
  );
  for (const { memory } of result.samples) expect(memory).toEqual(expect.any(Number));
});

it("says why a server cannot hold the connections", { timeout: 60_000 }, async () => {
  const bench: ServerBench = {
    ...idle,
    contestants: [{ name: "hangs up", type: "script", file: "http-node.ts" }],
    scenarios: idle.scenarios.map((scenario) => ({
      ...scenario,
      hold: () => holdLoadScript("idle-connections.ts", { port: 1, connections: 1, payload: "x" }),
    })),
  };
  await expect(run(bench, { ...OPTIONS, log: () => {} })).rejects.toThrow(
    /^hangs up, after one round trip: the load failed: .*ECONNREFUSED/,
  );
});

it("lets only some take part, and starts a new server for each turn, where a scenario asks for it", async () => {
  const [ours, , pipe, raw] = echo.contestants;
  const [roundTrips] = echo.scenarios;
  assert.ok(pipe && raw && roundTrips?.type === "speed");
  const ports: number[] = [];
  const scenario = {
    ...roundTrips,
    fresh: true,
    only: [ours.name, raw.name],
    run(port: number, seconds: number) {
      ports.push(port);
      return roundTrips.run(port, seconds);
    },
  };
  const bench: ServerBench = { ...echo, contestants: [ours, pipe, raw], scenarios: [scenario] };
  const result = await run(bench, { ...OPTIONS, rounds: 2, log: () => {} });
  expect(result.samples.map(({ contestant }) => contestant)).toEqual([
    ours.name,
    raw.name,
    ours.name,
    raw.name,
  ]);
  // Each turn's server is warmed up, and then measured.
  expect(ports).toHaveLength(8);
  expect(new Set(ports).size).toBeGreaterThan(2);
}, 60_000);

it("has workers work, and names the ones that cannot", { timeout: 60_000 }, async () => {
  const [scenario] = parser.scenarios;
  assert.ok(scenario);
  const bench: WorkBench = {
    ...parser,
    contestants: [...parser.contestants, { name: "a worker that is not there", file: "none.ts" }],
    scenarios: [scenario],
  };
  const result = await run(bench, { ...OPTIONS, seconds: 0.05, log: () => {} });
  expect(result.missing.map(({ name }) => name)).toEqual(["a worker that is not there"]);
  expect(result.samples.map(({ contestant }) => contestant)).toEqual(
    parser.contestants.map(({ name }) => name),
  );
  for (const { cpuMicroseconds } of result.samples) expect(cpuMicroseconds).toBeGreaterThan(0);
});

it("takes no figures from a worker that does not do its work", { timeout: 60_000 }, async () => {
  const [ours] = parser.contestants;
  const [scenario] = parser.scenarios;
  assert.ok(scenario);
  const options = { ...scenario.options, fields: 99, strings: true };
  const bench: WorkBench = { ...parser, contestants: [ours], scenarios: [{ ...scenario, options }] };
  const result = await run(bench, { ...OPTIONS, seconds: 0.05, log: () => {} });
  expect(result.samples).toEqual([]);
  expect(result.missing).toEqual([{ name: ours.name, why: expect.stringContaining("AssertionError") }]);
});

it("sends the browser's request in the size that it says", () => {
  expect(BROWSER).toHaveLength(15);
  expect(requestOf(BROWSER)).toHaveLength(684);
});

const withWrk = has("wrk", "-v");
if (!withWrk) {
  if (process.env["CI"] !== undefined) throw new Error("wrk is not installed: apt-get install wrk");
  console.warn("SKIPPED: the http bench with wrk, which is not installed");
}

it.skipIf(!withWrk)("loads HTTP servers with wrk, plain and pipelined", { timeout: 60_000 }, async () => {
  const { http } = await import("../src/benches/http.ts");
  const bench: ServerBench = {
    ...http,
    contestants: [{ name: "raw", type: "script", file: "http-raw.ts" }],
    missing: [],
  };
  const result = await run(bench, { ...OPTIONS, log: () => {} });
  expect(result.missing).toEqual([]);
  expect(result.samples.map(({ scenario }) => scenario)).toEqual([
    "plain",
    "pipelined",
    "browser",
    "browser, pipelined",
  ]);
});
