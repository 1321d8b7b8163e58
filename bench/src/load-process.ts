// Runs load in a process of its own, on the load's core, and hands back what it printed.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Load } from "./bench.ts";
import { LOAD_CORE, pinned } from "./pin.ts";
import { reasonIn } from "./reason.ts";

/** Runs a program to its end. @throws Error with what it said when it fails. */
export async function runLoad(command: readonly string[]): Promise<string> {
  const [program = "", ...args] = pinned(LOAD_CORE, command);
  try {
    const { stdout } = await promisify(execFile)(program, args);
    return stdout;
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    throw new Error(`the load failed: ${reasonIn(stderr) ?? message}`, { cause: error });
  }
}

/** Runs a script of `load/` with `options` as its argument; it prints a `Load`. */
export async function runLoadScript(file: string, options: object): Promise<Load> {
  const script = fileURLToPath(new URL(`load/${file}`, import.meta.url));
  return JSON.parse(await runLoad([process.execPath, script, JSON.stringify(options)])) as Load;
}
