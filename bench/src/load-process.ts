// Runs load in a process of its own, on the load's core, and hands back what it printed.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Held, Load } from "./bench.ts";
import type { Core } from "./pin.ts";
import { LOAD_CORE, pinned } from "./pin.ts";
import { reasonIn } from "./reason.ts";

export interface RunLoadOptions {
  /** Default: the load's. */
  readonly core?: Core;
  /** The program is told to end, by SIGINT, after so many seconds. */
  readonly interruptAfter?: number;
}

/**
 * Runs a program to its end, and gives what it printed: "" when it was interrupted too early to do anything.
 * @throws Error with what it said when it fails.
 */
export async function runLoad(command: readonly string[], options: RunLoadOptions = {}): Promise<string> {
  const { core = LOAD_CORE, interruptAfter } = options;
  const [program = "", ...args] = pinned(core, command);
  const running = promisify(execFile)(program, args);
  const interrupt =
    interruptAfter === undefined
      ? undefined
      : setTimeout(() => running.child.kill("SIGINT"), interruptAfter * 1000);
  try {
    return (await running).stdout;
  } catch (error) {
    const { stderr = "", message, signal } = error as Error & { stderr?: string; signal?: string };
    if (interrupt !== undefined && signal === "SIGINT") return "";
    throw new Error(`the load failed: ${reasonIn(stderr) ?? message}`, { cause: error });
  } finally {
    clearTimeout(interrupt);
  }
}

/** Runs a script of `load/` with `options` as its argument; it prints a `Load`. */
export async function runLoadScript(file: string, options: object): Promise<Load> {
  return JSON.parse(await runLoad(scriptCommand(`load/${file}`, options))) as Load;
}

/**
 * Runs a script of `load/` that prints a `Load` once its connections stand, and keeps them until its standard input
 * ends. @throws Error with what it said when it fails before.
 */
export async function holdLoadScript(file: string, options: object): Promise<Held> {
  const [program = "", ...args] = pinned(LOAD_CORE, scriptCommand(`load/${file}`, options));
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

/** A script of this folder with `options` as its argument. */
export function scriptCommand(
  file: string,
  options: object,
  node: string = process.execPath,
): readonly string[] {
  return [node, fileURLToPath(new URL(file, import.meta.url)), JSON.stringify(options)];
}
