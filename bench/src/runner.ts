// One run of a bench: its turns, and with them all that is needed to read the figures later.
import type { Bench } from "./bench.ts";
import { machine } from "./machine.ts";
import type { Result } from "./result.ts";
import { serverTurns } from "./server-turns.ts";
import type { RunOptions } from "./turns.ts";
import { workerTurns } from "./worker-turns.ts";

/** Runs a bench. A contestant that cannot start is named among the missing; one that fails later ends the run. */
export async function run(bench: Bench, options: RunOptions): Promise<Result> {
  const { rounds, seconds, connections, node, log } = options;
  for (const { name, why } of bench.missing) log(`MISSING ${name}: ${why}`);
  const turns =
    bench.type === "servers" ? await serverTurns(bench, options) : await workerTurns(bench, options);
  const measured = bench.scenarios.map((scenario) => ("type" in scenario ? scenario.type : "speed"));
  return {
    bench: bench.name,
    title: bench.title,
    date: new Date().toISOString(),
    machine: machine(node),
    settings: {
      rounds,
      ...(measured.includes("speed") && { seconds }),
      ...(measured.includes("memory") && { connections }),
    },
    missing: [...bench.missing, ...turns.missing],
    targets: bench.targets.map(({ why: _why, ...target }) => target),
    scenarios: bench.scenarios.map(({ name, title, unit }) => ({ name, title, unit })),
    contestants: turns.contestants.map((name) => ({ name })),
    ours: bench.contestants[0].name,
    samples: turns.samples,
  };
}
