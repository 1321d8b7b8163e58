// The turns of servers under load. All stay up for the whole run, but for loads that ask for a new process each time.
import type { Contestant, Missing, Scenario, ServerBench } from "./bench.ts";
import type { Sample } from "./result.ts";
import { ServerProcess } from "./server-process.ts";
import { firstLine, participants, turn, WARM_UP } from "./turns.ts";
import type { RunOptions, Turns } from "./turns.ts";

type SpeedScenario = Extract<Scenario, { type: "speed" }>;
type MemoryScenario = Extract<Scenario, { type: "memory" }>;

interface Running {
  readonly contestant: Contestant;
  readonly server: ServerProcess;
}

export async function serverTurns(bench: ServerBench, options: RunOptions): Promise<Turns> {
  const { rounds, seconds, node, log } = options;
  await using servers = new AsyncDisposableStack();
  const missing: Missing[] = [];
  const running: Running[] = [];
  for (const contestant of bench.contestants) {
    try {
      const server = servers.use(await ServerProcess.start(contestant, node));
      await bench.check(server.port);
      running.push({ contestant, server });
    } catch (error) {
      missing.push({ name: contestant.name, why: firstLine(error) });
      log(`MISSING ${contestant.name}: ${firstLine(error)}`);
    }
  }
  const entriesOf = (scenario: Scenario): readonly Running[] =>
    participants(
      scenario,
      running.map((entry) => ({ ...entry, name: entry.contestant.name })),
    );

  log(`warming up ${running.length} servers`);
  for (const scenario of bench.scenarios) {
    if (scenario.type !== "speed" || scenario.fresh === true) continue;
    for (const entry of entriesOf(scenario)) await warmUp(entry, scenario, seconds);
  }
  const samples: Sample[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    log(`round ${round} of ${rounds}`);
    for (const scenario of bench.scenarios) {
      for (const entry of entriesOf(scenario)) {
        samples.push(await measure(entry, scenario, round, bench, options));
      }
    }
  }
  return { contestants: running.map(({ contestant }) => contestant.name), missing, samples };
}

async function measure(
  entry: Running,
  scenario: Scenario,
  round: number,
  bench: ServerBench,
  options: RunOptions,
): Promise<Sample> {
  if (scenario.type === "speed" && scenario.fresh !== true) {
    return await measureSpeed(entry, scenario, round, options.seconds);
  }
  // One that did other work before grows less, and has grown already.
  const { contestant } = entry;
  await using server = await ServerProcess.start(contestant, options.node);
  await bench.check(server.port);
  const fresh: Running = { contestant, server };
  if (scenario.type === "memory") return await measureMemory(fresh, scenario, round, options.connections);
  await warmUp(fresh, scenario, options.seconds);
  return await measureSpeed(fresh, scenario, round, options.seconds);
}

async function warmUp({ contestant, server }: Running, scenario: SpeedScenario, most: number): Promise<void> {
  await turn(contestant, scenario, scenario.run(server.port, Math.min(WARM_UP, most)));
}

async function measureSpeed(
  { contestant, server }: Running,
  scenario: SpeedScenario,
  round: number,
  duration: number,
): Promise<Sample> {
  const before = server.usage;
  const { operations, seconds } = await turn(contestant, scenario, scenario.run(server.port, duration));
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

async function measureMemory(
  { contestant, server }: Running,
  scenario: MemoryScenario,
  round: number,
  connections: number,
): Promise<Sample> {
  const before = await server.settledMemory();
  await using held = await turn(contestant, scenario, scenario.hold(server.port, connections));
  const memory = (await server.settledMemory()) - before;
  const { operations, seconds } = held;
  return { scenario: scenario.name, contestant: contestant.name, round, operations, seconds, memory };
}
