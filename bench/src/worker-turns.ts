// The turns of workers: each is a process that lives for one turn, on the core of what is measured.
import type { Missing, WorkBench, Worker, WorkScenario } from "./bench.ts";
import { runLoad, scriptCommand } from "./load-process.ts";
import { LOAD_CORE, SERVER_CORE } from "./pin.ts";
import type { Sample } from "./result.ts";
import { ServerProcess } from "./server-process.ts";
import { firstLine, participants, turn, WARM_UP } from "./turns.ts";
import type { RunOptions, Turns } from "./turns.ts";
import type { Task, Work } from "./workers/work.ts";

/** How long a worker works to show that it can, in seconds. */
const TRIAL = 0.01;

export async function workerTurns(bench: WorkBench, options: RunOptions): Promise<Turns> {
  const { rounds, seconds, node, log } = options;
  await using partner =
    bench.partner === undefined
      ? undefined
      : await ServerProcess.start(bench.partner, process.execPath, LOAD_CORE);
  const work = (worker: Worker, scenario: WorkScenario, duration: number): Promise<Work> =>
    runWorker(node, worker, {
      ...scenario.options,
      seconds: duration,
      warmUp: Math.min(WARM_UP, duration),
      port: partner?.port,
    });

  const missing: Missing[] = [];
  const able: Worker[] = [];
  for (const worker of bench.contestants) {
    try {
      for (const scenario of bench.scenarios) await work(worker, scenario, TRIAL);
      able.push(worker);
    } catch (error) {
      missing.push({ name: worker.name, why: firstLine(error) });
      log(`MISSING ${worker.name}: ${firstLine(error)}`);
    }
  }
  const samples: Sample[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    log(`round ${round} of ${rounds}`);
    for (const scenario of bench.scenarios) {
      for (const worker of participants(scenario, able)) {
        const done = await turn(worker, scenario, work(worker, scenario, seconds));
        samples.push({ scenario: scenario.name, contestant: worker.name, round, ...done });
      }
    }
  }
  return { contestants: able.map(({ name }) => name), missing, samples };
}

async function runWorker(node: string, { file }: Worker, task: Task): Promise<Work> {
  const command = scriptCommand(`workers/${file}`, task, node);
  return JSON.parse(await runLoad(command, { core: SERVER_CORE })) as Work;
}
