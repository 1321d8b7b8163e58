// Keeps server and load out of each other's way: each on a processor core of its own, where `taskset` is there.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** What is measured runs on the one, all else on the other. */
export type Core = 0 | 1;

export const SERVER_CORE: Core = 0;
export const LOAD_CORE: Core = 1;

/** True when a program can be found on this machine. */
export function has(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).error === undefined;
}

/** Whether processes can be pinned here: `taskset` exists and there are two cores to part them on. */
export const pinning: boolean = availableParallelism() >= 2 && has("taskset", "-V");

/** The command that runs `command` on one core alone, or the command itself where that cannot be done. */
export function pinned(core: Core, command: readonly string[]): readonly string[] {
  return pinning ? ["taskset", "-c", String(core), ...command] : command;
}
