// What taking turns needs, whoever takes them: A B C, A B C, … so that what the machine does meanwhile hits everybody
// alike.
import type { Bench, Load, Missing } from "./bench.ts";
import type { Sample, Settings } from "./result.ts";

/** How long each contestant is warmed up before anything counts, in seconds; shorter where turns are. */
export const WARM_UP = 1;

export interface RunOptions extends Required<Settings> {
  /** Path of the Node that runs what is measured. */
  readonly node: string;
  /** Told what is going on, one line at a time. */
  readonly log: (line: string) => void;
}

/** What came out of all turns. */
export interface Turns {
  /** The names of those who took part. */
  readonly contestants: readonly string[];
  readonly missing: readonly Missing[];
  readonly samples: readonly Sample[];
}

interface Named {
  readonly name: string;
}

/** Of everybody, those who take part in a scenario. */
export function participants<T extends Named>(
  scenario: Bench["scenarios"][number],
  everybody: readonly T[],
): readonly T[] {
  const { only } = scenario;
  return only === undefined ? everybody : everybody.filter(({ name }) => only.includes(name));
}

/** How many turns a round has. */
export function turnsOf(bench: Bench): number {
  const contestants: readonly Named[] = bench.contestants;
  return bench.scenarios
    .map((scenario) => participants(scenario, contestants).length)
    .reduce((sum, count) => sum + count, 0);
}

/** Waits for a turn. @throws Error that names who failed in what, or did nothing. */
export async function turn<T extends Load>(
  contestant: Named,
  scenario: Bench["scenarios"][number],
  work: Promise<T>,
): Promise<T> {
  let done: T;
  try {
    done = await work;
  } catch (error) {
    throw new Error(`${contestant.name}, ${scenario.name}: ${firstLine(error)}`, { cause: error });
  }
  if (done.operations === 0) {
    throw new Error(`${contestant.name}, ${scenario.name}: not one of the ${scenario.unit} was completed`);
  }
  return done;
}

/** What an error says, in one line. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
