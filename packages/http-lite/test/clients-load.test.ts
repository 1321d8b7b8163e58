// End to end with load generators, which keep connections and hurry: wrk, ApacheBench, and h2load on HTTP/1.1. How fast
// it goes is for the bench; here each of their replies must be right.
import { execFile } from "node:child_process";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { large, serveClients } from "./served.ts";
import type { Served } from "./served.ts";
import { hasTool } from "./tools.ts";

const exec = promisify(execFile);
const run = async (file: string, ...args: string[]): Promise<string> => (await exec(file, args)).stdout;

/** Debian's: other systems have ones of their own. */
const ab = "/usr/bin/ab";

let served: Served;

beforeAll(async () => {
  served = await serveClients();
});
beforeEach(() => served.opened());
afterAll(() => served[Symbol.asyncDispose]());

it.skipIf(!hasTool("wrk"))("wrk: GET and POST, four at a time on each connection", async () => {
  const script = fileURLToPath(new URL("clients.lua", import.meta.url));
  const report = await run("wrk", "-d1s", "-t1", "-c4", "-s", script, served.url);
  expect(report).toMatch(/^right [1-9]\d*, wrong 0$/m);
  expect(report).not.toContain("Socket errors");
  // One more asks first whether there is anybody.
  expect(served.opened()).toBeLessThanOrEqual(5);
});

describe.skipIf(!hasTool(ab))("ApacheBench, which speaks HTTP/1.0", () => {
  it("GET, a connection each", async () => {
    const report = await run(ab, "-n50", "-c4", `${served.url}/a`);
    expect(report).toMatch(/^Document Length: +9 bytes$/m);
    expect(report).toMatch(/^Complete requests: +50\nFailed requests: +0$/m);
    expect(served.opened()).toBeGreaterThanOrEqual(50);
  });

  it("POST, on connections that are kept", async () => {
    await using folder = await mkdtempDisposable(path.join(tmpdir(), "http-lite-"));
    const file = path.join(folder.path, "body");
    await writeFile(file, large.subarray(0, 70_000));
    const report = await run(
      ab,
      "-n50",
      "-c4",
      "-k",
      "-p",
      file,
      "-T",
      "application/octet-stream",
      `${served.url}/`,
    );
    expect(report).toMatch(/^Document Length: +70000 bytes$/m);
    expect(report).toMatch(/^Complete requests: +50\nFailed requests: +0\nKeep-Alive requests: +50$/m);
    expect(report).not.toContain("Non-2xx");
    expect(served.opened()).toBeLessThanOrEqual(4);
  });

  it("a large body", async () => {
    const report = await run(ab, "-n4", "-c2", "-k", `${served.url}/large`);
    expect(report).toMatch(/^Document Length: +3000000 bytes$/m);
    expect(report).toMatch(/^Complete requests: +4\nFailed requests: +0\nKeep-Alive requests: +4$/m);
    expect(report).toMatch(/^HTML transferred: +12000000 bytes$/m);
  });
});

describe.skipIf(!hasTool("h2load"))("h2load on HTTP/1.1", () => {
  it("GET, ten at a time on each connection", async () => {
    const report = await run("h2load", "--h1", "-n200", "-c2", "-m10", `${served.url}/a`);
    expect(report).toContain("200 succeeded, 0 failed, 0 errored, 0 timeout");
    expect(report).toContain("status codes: 200 2xx");
    expect(report).toMatch(/\(1800\) data/);
    expect(served.opened()).toBe(2);
  });

  it("POST", async () => {
    await using folder = await mkdtempDisposable(path.join(tmpdir(), "http-lite-"));
    const file = path.join(folder.path, "body");
    await writeFile(file, large.subarray(0, 70_000));
    const report = await run("h2load", "--h1", "-n20", "-c2", "-d", file, served.url);
    expect(report).toContain("20 succeeded, 0 failed, 0 errored, 0 timeout");
    expect(report).toMatch(/\(1400000\) data/);
    expect(served.opened()).toBe(2);
  });

  it("a large body", async () => {
    const report = await run("h2load", "--h1", "-n4", "-c2", `${served.url}/large`);
    expect(report).toContain("4 succeeded, 0 failed, 0 errored, 0 timeout");
    expect(report).toMatch(/\(12000000\) data/);
  });
});
