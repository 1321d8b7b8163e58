// Programs that tests run. One that is missing is skipped, loudly; in CI it has to be there.
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { it } from "vitest";

/** `it`, for a test that needs a program, and perhaps a Perl module that this one loads. */
export function withTool(tool: string, module?: string): typeof it.skip {
  const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/lib/postfix/sbin"];
  const found =
    places.some((place) => existsSync(join(place, tool))) &&
    (module === undefined || spawnSync("perl", [`-M${module}`, "-e1"]).status === 0);
  const what = module === undefined ? tool : `${tool} with ${module}`;
  if (!found && process.env["CI"] === undefined) console.warn(`SKIPPED: ${what} is not installed`);
  return it.skipIf(!found && process.env["CI"] === undefined);
}

/** Runs a program to its end; fails with its output when it does not exit with 0. */
export async function run(
  tool: string,
  args: readonly string[],
  input = "",
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const path = `${process.env["PATH"]}${delimiter}/usr/sbin`;
  const child = promisify(execFile)(tool, args, { env: { ...process.env, PATH: path, ...env } });
  // A program that ends without reading it says why by its exit code.
  child.child.stdin?.on("error", () => undefined).end(input);
  const { stdout, stderr } = await child;
  return stdout + stderr;
}
