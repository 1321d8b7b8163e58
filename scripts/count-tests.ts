// Prints what the last `pnpm test` found: one line a package and a failed test, and last `N passed, N failed`. `.ci/run` ends with it.
import { join } from "node:path";
import { testResults } from "./test-results.ts";

const results = testResults(join(import.meta.dirname, ".."));
for (const { name, passed, failed, skipped, failures } of results) {
  console.log(`${name}: ${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
  for (const failure of failures) console.log(`  ${failure}`);
}
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
const failed = sum(results.map((result) => result.failed));
console.log(`${sum(results.map((result) => result.passed))} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
