// The command line: which bench, how long, and where the result goes. It measures nothing itself.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
import { BENCHES, whyMissed } from "./benches/index.ts";
import { page, terminalReport } from "./report.ts";
import type { Result } from "./result.ts";
import { run } from "./runner.ts";
import { judge } from "./summary.ts";
import { turnsOf } from "./turns.ts";

const PAGES = new URL("../../docs/benchmarks/", import.meta.url);

const FULL = { rounds: 9, seconds: 3, connections: 10_000 };
const QUICK = { rounds: 2, seconds: 2, connections: 2000 };
/** What all turns of a quick run may take together, in seconds; starting servers takes what is left of a minute. */
const QUICK_TURNS = 24;

const USAGE = `pnpm bench NAME [options]

${BENCHES.map(({ name, title }) => `  ${name.padEnd(11)} ${title}`).join("\n")}
  report      makes docs/benchmarks/README.md from the JSON files beside it

  --quick          ${QUICK.rounds} rounds instead of ${FULL.rounds}, of turns so short that all is over within a minute
  --rounds N       how many times each server takes its turn
  --seconds N      how long a turn lasts; default: ${FULL.seconds}
  --connections N  how many connections idle holds; default: ${FULL.connections}, or ${QUICK.connections} with --quick
  --json FILE      where the result goes; default: bench/results/NAME.json
  --node PATH      the Node that runs the servers; default: this one
  --assert         exit with 1 when a target is not met, or could not be judged
`;

/** What was asked for is no good: one sentence, and exit status 2. */
class UsageError extends Error {}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [name] = positionals;
  if (name === undefined || values.help === true) {
    console.log(USAGE);
    return;
  }
  if (name === "report") {
    await writePage();
    return;
  }
  const bench = BENCHES.find((one) => one.name === name);
  if (bench === undefined) throw new UsageError(`there is no bench "${name}"; pnpm bench lists them`);

  const preset = values.quick === true ? quick(bench) : FULL;
  const result = await run(bench, {
    rounds: whole("rounds", values.rounds) ?? preset.rounds,
    seconds: positive("seconds", values.seconds) ?? preset.seconds,
    connections: whole("connections", values.connections) ?? preset.connections,
    node: values.node ?? process.execPath,
    log: (line) => console.error(line),
  });
  const file = values.json ?? fileURLToPath(new URL(`../results/${name}.json`, import.meta.url));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
  console.log(`\n${terminalReport(result)}`);
  console.error(`written to ${file}`);
  if (values.assert === true && judge(result).some(({ outcome }) => outcome !== "met")) process.exitCode = 1;
}

function parse(
  args: string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const OPTIONS = {
  quick: { type: "boolean" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  connections: { type: "string" },
  json: { type: "string" },
  node: { type: "string" },
  assert: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

function positive(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new UsageError(`--${option} takes a number above 0`);
  return value;
}

function whole(option: string, text: string | undefined): number | undefined {
  const value = positive(option, text);
  if (value !== undefined && !Number.isInteger(value))
    throw new UsageError(`--${option} takes a whole number`);
  return value;
}

/** As short as needed: each contestant has its turn in each round, and one more to warm up. */
function quick(bench: Bench): typeof FULL {
  const turns = turnsOf(bench) * (QUICK.rounds + 1);
  return { ...QUICK, seconds: Math.min(QUICK.seconds, Number((QUICK_TURNS / turns).toPrecision(2))) };
}

async function writePage(): Promise<void> {
  const files = (await readdir(PAGES)).filter((file) => file.endsWith(".json")).sort();
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, PAGES), "utf8")));
  await writeFile(
    new URL("README.md", PAGES),
    page(
      texts.map((text) => JSON.parse(text) as Result),
      whyMissed,
    ),
  );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
