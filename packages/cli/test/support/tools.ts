// Programs that tests need from the system: a test whose tool is missing is skipped loudly, and fails in CI.
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** True when the program can be run. @throws in CI when it cannot: a test that was to run must not be lost. */
export function hasTool(name: string): boolean {
  const places = isAbsolute(name)
    ? [name]
    : (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
  if (places.some(isExecutable)) return true;
  return missing(`${name} is not installed`);
}

/** True on Linux, where `/proc` tells of another process's memory. */
export function hasProc(): boolean {
  return process.platform === "linux" || missing("/proc is not there");
}

function missing(what: string): false {
  const message = `SKIPPED: ${what}, so the tests that need it do not run`;
  if (process.env["CI"] !== undefined && process.env["CI"] !== "") throw new Error(message);
  console.warn(message);
  return false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
