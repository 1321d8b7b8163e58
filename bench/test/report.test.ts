import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BENCHES, whyMissed } from "../src/benches/index.ts";
import { aim, page, terminalReport } from "../src/report.ts";
import type { Result, Sample } from "../src/result.ts";
import { judge, rowsOf } from "../src/summary.ts";

const PAGES = new URL("../../docs/benchmarks/", import.meta.url);

/** The results that docs/benchmarks/README.md is made from. */
function published(): readonly Result[] {
  const files = readdirSync(PAGES).filter((file) => file.endsWith(".json"));
  return files.sort().map((file) => JSON.parse(readFileSync(new URL(file, PAGES), "utf8")) as Result);
}

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

  it("judges the rate instead of CPU time where a target says so", () => {
    const samples = [sample("ours", 1, 100, 500), sample("peer", 1, 50, 100)];
    const target = { scenario: "plain", peer: "peer", atLeast: 1.5 };
    const targets = [target, { ...target, by: "rate" as const }];
    const result = { ...RESULT, samples, targets };
    expect(judge(result).map(({ measured }) => measured)).toEqual([0.4, 2]);
    expect(terminalReport(result)).toContain("target ≥ 1.5 × peer, by rate: 2, met");
  });

  it("compares a contestant with itself in another scenario", () => {
    const other = { name: "other", title: "another", unit: "requests" };
    const samples = [
      sample("ours", 1, 100, 500),
      { ...sample("ours", 1, 100, 250), scenario: "other" },
      sample("ours", 2, 100, 1000),
      { ...sample("ours", 2, 100, 500), scenario: "other" },
    ];
    const targets = [{ scenario: "plain", comparedTo: "other", atLeast: 0.6 }];
    const result = { ...RESULT, scenarios: [...RESULT.scenarios, other], samples, targets };
    expect(judge(result)[0]).toMatchObject({ measured: 0.5, outcome: "not met" });
    expect(terminalReport(result)).toContain('target ≥ 0.6 × itself in "other": 0.5, not met');
  });

  it("judges the highest peak memory of all turns", () => {
    const samples = [
      { ...sample("ours", 1, 100, 500), peakMemory: 90 },
      { ...sample("ours", 2, 100, 500), peakMemory: 70 },
    ];
    const targets = [{ scenario: "plain", atMost: 80, of: "peak memory" as const }];
    expect(judge({ ...RESULT, samples, targets })[0]).toMatchObject({ measured: 90, outcome: "not met" });
    expect(terminalReport({ ...RESULT, samples, targets })).toContain("target peak ≤ 80 MiB: 90, not met");
  });

  it("leaves out of a scenario who took no part in it", () => {
    const samples = RESULT.samples.filter(({ contestant }) => contestant !== "peer");
    expect(rowsOf({ ...RESULT, samples }, "plain").map(({ contestant }) => contestant)).toEqual([
      "ours",
      "ceiling",
    ]);
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
    const text = page([RESULT], () => undefined);
    expect(text).toContain("## http: Hello");
    expect(text).toContain("- **Missing**: wrk (not installed)");
    expect(text).toMatch(/^\| peer +\| +37,500 \|/m);
    expect(text).toContain("- target ≥ 1.5 × peer: 2, met");
  });

  it("says on the page why a target is missed, and only where it is", () => {
    const text = page([RESULT], (bench, target) => `${bench}: because of ${JSON.stringify(target)}.`);
    expect(text).toContain("- target ≥ 1.5 × peer: 2, met\n");
    expect(text).toContain("- target ≥ 0.75 × ceiling: 0.5, not met. http: because of {");
    expect(text).toContain("- target ≥ 1 × absent: not measured, unknown\n");
  });

  it("takes the reason from the bench as it is today", () => {
    const missed = { scenario: "ended", peer: "raw net", atLeast: 0.95 };
    expect(whyMissed("accept", missed)).toMatch(/^A connection of core's is more objects/);
    expect(whyMissed("accept", { ...missed, atLeast: 0.5 })).toBeUndefined();
    expect(whyMissed("none", missed)).toBeUndefined();
  });

  it("has one aim for each target of a scenario, so that reasons are told apart", () => {
    for (const { targets } of BENCHES) {
      const aims = targets.map((target) => `${target.scenario}: ${aim(target)}`);
      expect(new Set(aims).size).toBe(aims.length);
    }
  });

  it("has a reason for every target that docs/benchmarks says is missed", () => {
    for (const result of published()) {
      for (const { target, outcome } of judge(result)) {
        if (outcome !== "not met") continue;
        expect(whyMissed(result.bench, target), `${result.bench}, ${aim(target)}`).toEqual(
          expect.any(String),
        );
      }
    }
  });

  it("is what docs/benchmarks/README.md holds: run `pnpm bench report` when this fails", () => {
    expect(published()).not.toEqual([]);
    expect(readFileSync(new URL("README.md", PAGES), "utf8")).toBe(page(published(), whyMissed));
  });
});
