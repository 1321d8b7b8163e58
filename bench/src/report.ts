// A result as people read it: on the terminal after a run, and as the page in docs/ that is made from the JSON.
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

/** The page of docs/benchmarks. */
export function page(results: readonly Result[]): string {
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
      if (verdicts.length > 0) blocks.push(verdicts.map((verdict) => `- ${sentence(verdict)}`).join("\n"));
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
  const aim = "atMost" in target ? `≤ ${target.atMost} each` : `≥ ${target.atLeast} × ${target.peer}`;
  const who = "peer" in target && target.contestant !== undefined ? ` for ${target.contestant}` : "";
  return `target ${aim}${who}: ${measured === undefined ? "not measured" : number(measured)}, ${outcome}`;
}
