// Counts tests from the logs that turbo keeps of each package's vitest run, in <package>/.turbo/. Turbo writes a log
// back when it takes a result from its cache, so the count is the same with and without the cache.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { workspaces } from "./workspace.ts";

export interface TestResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface PackageResult extends TestResult {
  readonly name: string;
  /** Each failed test, and what was wrong. */
  readonly failures: readonly string[];
}

/** One result for each package that has tests, and one for the scripts. A package without a log counts as one failed. */
export function testResults(root: string): PackageResult[] {
  const tested = workspaces(root)
    .filter(({ manifest }) => manifest.scripts?.["test"] !== undefined)
    .map(({ folder, manifest }) => ({ name: manifest.name, folder }));
  return [...tested, { name: "scripts", folder: "." }].map(({ name, folder }) => {
    const logs = globSync(".turbo/turbo-test*.log", { cwd: join(root, folder) });
    const text = logs.map((log) => readFileSync(join(root, folder, log), "utf8")).join("\n");
    return { name, ...readSummary(text), failures: readFailures(text) };
  });
}

/**
 * Reads the last lines of a vitest run, such as `Tests  1 failed | 8 passed | 2 skipped (11)`. A file that could not be
 * loaded and an error outside of any test have no failed test to show for it, but count; so does a run that broke off
 * before it could count.
 */
export function readSummary(log: string): TestResult {
  const lines = stripVTControlCharacters(log).split(/\r?\n/);
  const summary = (label: string): string | undefined =>
    lines.findLast((line) => new RegExp(`^\\s*${label}\\s+(?:\\d+ \\w+|no tests)`).test(line));
  const count = (line: string | undefined, word: string): number =>
    Number(new RegExp(`(\\d+) ${word}`).exec(line ?? "")?.[1] ?? 0);

  const tests = summary("Tests");
  const failedTests = count(tests, "failed");
  const failedFiles = count(summary("Test Files"), "failed");
  const errors = count(summary("Errors"), "error");
  const brokenOff = tests === undefined ? 1 : 0;
  return {
    passed: count(tests, "passed"),
    failed: Math.max(failedTests, failedFiles, errors, brokenOff),
    skipped: count(tests, "skipped") + count(tests, "todo"),
  };
}

/** What vitest says of each failed test: ` FAIL  file > test`, and the line behind it, which tells the error. */
export function readFailures(log: string): string[] {
  const lines = stripVTControlCharacters(log).split(/\r?\n/);
  const failures = lines.flatMap((line, index) =>
    /^\s*FAIL\s/.test(line) ? [`${line.trim()}: ${lines[index + 1]?.trim() ?? ""}`] : [],
  );
  return [...new Set(failures)];
}
