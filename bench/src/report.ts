// A result as people read it: on the terminal after a run, and as the page in docs/ that is made from the JSON.
import type { Target } from "./bench.ts";
import type { Result, Settings } from "./result.ts";
import { judge, rowsOf } from "./summary.ts";
import type { Verdict } from "./summary.ts";
import { cells, markdownTable, number, plainTable } from "./table.ts";

/** What a run prints in the end. */
export function terminalReport(result: Result): string {
  const blocks = [`${result.bench}: ${result.title}\n${conditions(result)}`];
  for (const { name, why } of result.missing) blocks.push(`MISSING ${name}: ${why}`);
  for (const { name, title, unit } of result.scenarios) {
    const lines = [`${name}: ${title}`, plainTable(cells(rowsOf(result, name), unit))];
    for (const verdict of verdictsOn(result, name)) lines.push(`  ${sentence(verdict)}`);
    blocks.push(lines.join("\n"));
  }
  return `${blocks.join("\n\n")}\n`;
}

/** Says why a target of a bench is missed, if anybody knows. */
export type Explain = (bench: string, target: Target) => string | undefined;

/** The page of docs/benchmarks. */
export function page(results: readonly Result[], explain: Explain): string {
  const blocks = [
    "<!-- Made by `pnpm bench report` from the JSON files beside it. Do not edit. -->",
    "# Benchmarks",
    "How these figures are measured, and how to read them: [bench/README.md](../../bench/README.md). In short: " +
      "only ratios within one run count, and CPU time for each operation is the steadiest of them.",
  ];
  for (const result of results) {
    blocks.push(`## ${result.bench}: ${result.title}`, `${conditions(result)}.`);
    if (result.missing.length > 0)
      blocks.push(result.missing.map(({ name, why }) => `- **Missing**: ${name} (${why})`).join("\n"));
    for (const { name, title, unit } of result.scenarios) {
      blocks.push(
        `### ${result.bench}, ${name}`,
        `${title}.`,
        markdownTable(cells(rowsOf(result, name), unit)),
      );
      const verdicts = verdictsOn(result, name);
      const sentences = verdicts.map((verdict) => {
        const why = verdict.outcome === "not met" ? explain(result.bench, verdict.target) : undefined;
        return `- ${sentence(verdict)}${why === undefined ? "" : `. ${why}`}`;
      });
      if (sentences.length > 0) blocks.push(sentences.join("\n"));
    }
  }
  return `${blocks.join("\n\n")}\n`;
}

function conditions({ machine, settings, date }: Result): string {
  const pinned = machine.pinned ? "server and load on a core each" : "server and load NOT pinned to cores";
  return (
    `Node ${machine.node}, ${machine.kernel}, ${machine.cores} × ${machine.cpu}, ${pinned}, ` +
    `${settings.rounds} rounds of ${turn(settings)}, ${date.slice(0, 10)}`
  );
}

function turn({ seconds, connections }: Settings): string {
  const speed = seconds === undefined ? [] : [`${seconds} s`];
  const memory = connections === undefined ? [] : [`up to ${connections.toLocaleString("en")} connections`];
  return [...speed, ...memory].join(" and ");
}

function verdictsOn(result: Result, scenario: string): readonly Verdict[] {
  return judge(result).filter(({ target }) => target.scenario === scenario);
}

function sentence({ target, measured, outcome }: Verdict): string {
  return `target ${aim(target)}: ${measured === undefined ? "not measured" : number(measured)}, ${outcome}`;
}

/** A target in words; no two of a scenario have the same. */
export function aim(target: Target): string {
  const who = target.contestant === undefined ? "" : ` for ${target.contestant}`;
  if ("comparedTo" in target) return `≥ ${target.atLeast} × itself in "${target.comparedTo}"${who}`;
  if ("peer" in target) {
    return `≥ ${target.atLeast} × ${target.peer}${target.by === "rate" ? ", by rate" : ""}${who}`;
  }
  const most = target.atMost.toLocaleString("en");
  return target.of === "peak memory" ? `peak ≤ ${most} MiB${who}` : `≤ ${most} each${who}`;
}
