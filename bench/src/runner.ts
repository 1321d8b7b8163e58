// The order of a run: A B C, A B C, … so that what the machine does meanwhile hits everybody alike.
import type { Bench, Contestant, Load, Missing, Scenario } from "./bench.ts";
import { machine } from "./machine.ts";
import type { Result, Sample, Settings } from "./result.ts";
import { ServerProcess } from "./server-process.ts";

/** How long each contestant is warmed up with each load before anything counts, in seconds. */
const WARM_UP = 1;

export interface RunOptions extends Required<Settings> {
  /** Path of the Node that runs the servers. */
  readonly node: string;
  /** Told what is going on, one line at a time. */
  readonly log: (line: string) => void;
}

type SpeedScenario = Extract<Scenario, { type: "speed" }>;
type MemoryScenario = Extract<Scenario, { type: "memory" }>;

interface Running {
  readonly contestant: Contestant;
  readonly server: ServerProcess;
}

/** Runs a bench. A contestant that cannot start is named among the missing; one that fails later ends the run. */
export async function run(bench: Bench, options: RunOptions): Promise<Result> {
  const { rounds, seconds, connections, node, log } = options;
  await using servers = new AsyncDisposableStack();
  const missing: Missing[] = [...bench.missing];
  const running: Running[] = [];
  for (const contestant of bench.contestants) {
    try {
      const server = servers.use(await ServerProcess.start(contestant, node));
      await bench.check(server.port);
      running.push({ contestant, server });
    } catch (error) {
      missing.push({ name: contestant.name, why: firstLine(error) });
    }
  }
  for (const { name, why } of missing) log(`MISSING ${name}: ${why}`);

  const samples: Sample[] = [];
  log(`warming up ${running.length} servers`);
  for (const scenario of bench.scenarios) {
    if (scenario.type !== "speed") continue;
    for (const entry of running) await load(entry, scenario, Math.min(WARM_UP, seconds));
  }
  for (let round = 1; round <= rounds; round += 1) {
    log(`round ${round} of ${rounds}`);
    for (const scenario of bench.scenarios) {
      for (const entry of running) {
        samples.push(
          scenario.type === "speed"
            ? await measureSpeed(entry, scenario, round, seconds)
            : await measureMemory(entry.contestant, scenario, round, bench, options),
        );
      }
    }
  }

  return {
    bench: bench.name,
    title: bench.title,
    date: new Date().toISOString(),
    machine: machine(node),
    settings: {
      rounds,
      ...(bench.scenarios.some(({ type }) => type === "speed") && { seconds }),
      ...(bench.scenarios.some(({ type }) => type === "memory") && { connections }),
    },
    missing,
    targets: bench.targets,
    scenarios: bench.scenarios.map(({ name, title, unit }) => ({ name, title, unit })),
    contestants: running.map(({ contestant }) => ({ name: contestant.name })),
    ours: bench.contestants[0].name,
    samples,
  };
}

/** Runs the load once. @throws Error that names who failed and in what. */
async function load(
  { contestant, server }: Running,
  scenario: SpeedScenario,
  duration: number,
): Promise<Load> {
  const done = await named(contestant, scenario, scenario.run(server.port, duration));
  if (done.operations === 0) {
    throw new Error(`${contestant.name}, ${scenario.name}: not one of the ${scenario.unit} was completed`);
  }
  return done;
}

async function named<T>(contestant: Contestant, scenario: Scenario, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Error(`${contestant.name}, ${scenario.name}: ${firstLine(error)}`, { cause: error });
  }
}

async function measureSpeed(
  entry: Running,
  scenario: SpeedScenario,
  round: number,
  duration: number,
): Promise<Sample> {
  const { contestant, server } = entry;
  const before = server.usage;
  const { operations, seconds } = await load(entry, scenario, duration);
  const after = server.usage;
  return {
    scenario: scenario.name,
    contestant: contestant.name,
    round,
    operations,
    seconds,
    ...(before !== undefined &&
      after !== undefined && {
        cpuMicroseconds: after.cpuMicroseconds - before.cpuMicroseconds,
        peakMemory: after.peakMemory,
      }),
  };
}

/** In a process of its own each time: one that had many connections before grows less for new ones. */
async function measureMemory(
  contestant: Contestant,
  scenario: MemoryScenario,
  round: number,
  bench: Bench,
  { connections, node }: RunOptions,
): Promise<Sample> {
  await using server = await ServerProcess.start(contestant, node);
  await bench.check(server.port);
  const before = await server.settledMemory();
  await using held = await named(contestant, scenario, scenario.hold(server.port, connections));
  const memory = (await server.settledMemory()) - before;
  const { operations, seconds } = held;
  return { scenario: scenario.name, contestant: contestant.name, round, operations, seconds, memory };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
