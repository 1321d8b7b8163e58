import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { page, terminalReport } from "../src/report.ts";
import type { Result, Sample } from "../src/result.ts";
import { judge, rowsOf } from "../src/summary.ts";

function sample(contestant: string, round: number, operations: number, cpuMicroseconds?: number): Sample {
  const cpu = cpuMicroseconds === undefined ? {} : { cpuMicroseconds, peakMemory: 80 };
  return { scenario: "plain", contestant, round, operations, seconds: 1, ...cpu };
}

const RESULT: Result = {
  bench: "http",
  title: "Hello",
  date: "2026-01-02T03:04:05.000Z",
  machine: { cpu: "Some CPU", cores: 2, kernel: "Linux 6.1", node: "v24.0.0", pinned: true },
  settings: { rounds: 2, seconds: 1 },
  missing: [{ name: "wrk", why: "not installed" }],
  targets: [
    { scenario: "plain", peer: "peer", atLeast: 1.5 },
    { scenario: "plain", peer: "ceiling", atLeast: 0.75 },
    { scenario: "plain", peer: "absent", atLeast: 1 },
  ],
  scenarios: [{ name: "plain", title: "one at a time", unit: "requests" }],
  contestants: [{ name: "ours" }, { name: "peer" }, { name: "ceiling" }],
  ours: "ours",
  samples: [
    sample("ours", 1, 100_000, 500_000),
    sample("peer", 1, 50_000, 500_000),
    sample("ceiling", 1, 200_000, 500_000),
    // A slower moment of the machine: everybody does half.
    sample("ours", 2, 50_000, 500_000),
    sample("peer", 2, 25_000, 500_000),
    sample("ceiling", 2, 100_000, 500_000),
  ],
};

describe("summary", () => {
  it("compares within a round, so that a slow machine changes no ratio", () => {
    const [ours, peer] = rowsOf(RESULT, "plain");
    expect(ours?.rate.median).toBe(75_000);
    expect(ours?.cpu?.median).toBe(7.5);
    expect(ours?.byCpu).toBeUndefined();
    expect(peer?.byCpu).toEqual({ median: 2, spread: 0 });
    expect(peer?.byRate).toEqual({ median: 2, spread: 0 });
  });

  it("judges each target, and does not call met what was not measured", () => {
    expect(judge(RESULT).map(({ outcome, measured }) => [outcome, measured])).toEqual([
      ["met", 2],
      ["not met", 0.5],
      ["unknown", undefined],
    ]);
  });

  it("judges another contestant in place of ours where a target says so", () => {
    const targets = [{ scenario: "plain", contestant: "peer", peer: "ceiling", atLeast: 0.25 }];
    expect(judge({ ...RESULT, targets })[0]).toMatchObject({ measured: 0.25, outcome: "met" });
    expect(terminalReport({ ...RESULT, targets })).toContain("target ≥ 0.25 × ceiling for peer: 0.25, met");
  });

  it("compares and judges memory where that was measured", () => {
    const held = (contestant: string, memory: number): Sample => ({
      ...sample(contestant, 1, 1000),
      memory,
    });
    const result: Result = {
      ...RESULT,
      settings: { rounds: 1, connections: 1000 },
      samples: [held("ours", 4000), held("peer", 12_000)],
      targets: [
        { scenario: "plain", atMost: 4 },
        { scenario: "plain", atMost: 3.9 },
        { scenario: "plain", peer: "peer", atLeast: 3 },
      ],
    };
    const [ours, peer] = rowsOf(result, "plain");
    expect(ours?.memory?.median).toBe(4);
    expect(peer?.byMemory?.median).toBe(3);
    expect(judge(result).map(({ outcome }) => outcome)).toEqual(["met", "not met", "met"]);
    const text = terminalReport(result);
    expect(text).toContain("1 rounds of up to 1,000 connections");
    expect(text).toContain("KiB each");
    expect(text).not.toContain("CPU µs");
    expect(text).toContain("target ≤ 3.9 each: 4, not met");
  });

  it("goes by the rate where the system tells no CPU time", () => {
    const samples = RESULT.samples.map(({ contestant, round, operations }) =>
      sample(contestant, round, operations),
    );
    expect(judge({ ...RESULT, samples })[0]).toMatchObject({ measured: 2, outcome: "met" });
  });

  it("has no ratios when ours is missing", () => {
    const result = { ...RESULT, contestants: [{ name: "peer" }], samples: [sample("peer", 1, 10, 10)] };
    expect(rowsOf(result, "plain")[0]).not.toHaveProperty("byCpu");
    expect(judge(result)[0]?.outcome).toBe("unknown");
  });
});

describe("report", () => {
  it("says on the terminal what was measured on what, what is missing and what was met", () => {
    const text = terminalReport(RESULT);
    expect(text).toContain(
      "Node v24.0.0, Linux 6.1, 2 × Some CPU, server and load on a core each, 2 rounds of 1 s",
    );
    expect(text).toContain("MISSING wrk: not installed");
    expect(text).toContain("target ≥ 1.5 × peer: 2, met");
    expect(text).toContain("target ≥ 0.75 × ceiling: 0.5, not met");
    expect(text).toContain("target ≥ 1 × absent: not measured, unknown");
  });

  it("says so when server and load shared their cores", () => {
    const machine = { ...RESULT.machine, pinned: false };
    expect(terminalReport({ ...RESULT, machine })).toContain("NOT pinned");
  });

  it("makes a page of the same figures", () => {
    const text = page([RESULT]);
    expect(text).toContain("## http: Hello");
    expect(text).toContain("- **Missing**: wrk (not installed)");
    expect(text).toMatch(/^\| peer +\| +37,500 \|/m);
    expect(text).toContain("- target ≥ 1.5 × peer: 2, met");
  });

  it("is what docs/benchmarks/README.md holds: run `pnpm bench report` when this fails", () => {
    const folder = new URL("../../docs/benchmarks/", import.meta.url);
    const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
    expect(files).not.toEqual([]);
    const results = files
      .sort()
      .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Result);
    expect(readFileSync(new URL("README.md", folder), "utf8")).toBe(page(results));
  });
});
