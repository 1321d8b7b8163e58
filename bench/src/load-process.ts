// Runs load in a process of its own, on the load's core, and hands back what it printed.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Held, Load } from "./bench.ts";
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
  return JSON.parse(await runLoad(scriptCommand(file, options))) as Load;
}

/**
 * Runs a script of `load/` that prints a `Load` once its connections stand, and keeps them until its standard input
 * ends. @throws Error with what it said when it fails before.
 */
export async function holdLoadScript(file: string, options: object): Promise<Held> {
  const [program = "", ...args] = pinned(LOAD_CORE, scriptCommand(file, options));
  const child = spawn(program, args);
  const exit = once(child, "exit");
  const said = text(child.stderr);
  const line = await Promise.race([once(createInterface(child.stdout), "line"), exit.then(() => undefined)]);
  if (line === undefined) throw new Error(`the load failed: ${reasonIn(await said) ?? "it ended"}`);
  return {
    ...(JSON.parse(line[0] as string) as Load),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exit;
    },
  };
}

function scriptCommand(file: string, options: object): readonly string[] {
  const script = fileURLToPath(new URL(`load/${file}`, import.meta.url));
  return [process.execPath, script, JSON.stringify(options)];
}
