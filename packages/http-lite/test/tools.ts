// Programs that tests need from the system: a test whose tool is missing is skipped loudly, and fails in CI.
import { spawnSync } from "node:child_process";

/** True when the program can be started; with arguments, when it succeeds with them. @throws in CI when it cannot. */
export function hasTool(file: string, ...args: readonly string[]): boolean {
  const { error, status } = spawnSync(file, args, { stdio: "ignore" });
  if (error === undefined && (args.length === 0 || status === 0)) return true;
  const message = `SKIPPED: ${[file, ...args].join(" ")} does not run, so the tests that need it do not either`;
  if (process.env["CI"] !== undefined && process.env["CI"] !== "") throw new Error(message);
  console.warn(message);
  return false;
}
