// How a worker script works: warm up, work, and say what was done and used. Every script of this folder uses it.

/** What a worker is told, by its only argument, together with its scenario's options. */
export interface Task {
  /** How long to work, in seconds. */
  readonly seconds: number;
  /** How long to work before anything counts, in seconds. */
  readonly warmUp: number;
  /** Where the partner listens, if the bench has one. */
  readonly port: number | undefined;
}

/** What a worker did, and what it took. */
export interface Work {
  readonly operations: number;
  readonly seconds: number;
  readonly cpuMicroseconds: number;
  /** The most memory that was ever resident, in MiB. */
  readonly peakMemory: number;
}

/** The argument of this process. */
export function task(): Task {
  return JSON.parse(process.argv[2] ?? "{}") as Task;
}

/**
 * Works, and prints what was done. `some` does a small piece of the work and gives the number of operations in it.
 */
export async function work({ warmUp, seconds }: Task, some: () => number | Promise<number>): Promise<void> {
  await workFor(warmUp, some);
  const used = process.cpuUsage();
  const start = performance.now();
  const operations = await workFor(seconds, some);
  const { user, system } = process.cpuUsage(used);
  const done: Work = {
    operations,
    seconds: (performance.now() - start) / 1000,
    cpuMicroseconds: user + system,
    peakMemory: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(done));
}

async function workFor(seconds: number, some: () => number | Promise<number>): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let operations = 0;
  while (performance.now() < until) {
    const done = some();
    operations += typeof done === "number" ? done : await done;
  }
  return operations;
}
