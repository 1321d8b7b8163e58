import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { expect, test } from "vitest";
import { readFailures, readSummary, testResults } from "../test-results.ts";

const red = (text: string): string => styleText("red", text, { validateStream: false });

test.each([
  {
    what: "all passed",
    log: " Test Files  2 passed (2)\n      Tests  9 passed (9)\n   Start at  06:41:53",
    result: { passed: 9, failed: 0, skipped: 0 },
  },
  {
    what: "some of each, in colour",
    log: ` Test Files  ${red("1 failed")} | 1 passed (2)\n      Tests  ${red("2 failed")} | 8 passed | 3 skipped (13)`,
    result: { passed: 8, failed: 2, skipped: 3 },
  },
  {
    what: "a file that could not be loaded",
    log: " Test Files  1 failed | 1 passed (2)\n      Tests  4 passed (4)",
    result: { passed: 4, failed: 1, skipped: 0 },
  },
  {
    what: "an error outside of any test",
    log: " Test Files  1 passed (1)\n      Tests  4 passed (4)\n     Errors  1 error",
    result: { passed: 4, failed: 1, skipped: 0 },
  },
  {
    what: "a summary that a test printed before the real one",
    log: "Tests  1 failed (1)\n Test Files  1 passed (1)\r\n      Tests  7 passed (7)\r\n",
    result: { passed: 7, failed: 0, skipped: 0 },
  },
  {
    what: "a run that broke off",
    log: "RUN v5.1.1\n[ELIFECYCLE] Test failed.",
    result: { passed: 0, failed: 1, skipped: 0 },
  },
])("reads $what", ({ log, result }) => {
  expect(readSummary(log)).toEqual(result);
});

test("names each failed test and its error, once", () => {
  const failure = ` ${red(" FAIL ")} test/a.test.ts > it works\n${red("Error")}: ENOENT\n ❯ test/a.test.ts:9\n`;
  const log = ` Failed Tests 1 \n\n${failure}\n Test Files  1 failed (1)\n${failure}`;
  expect(readFailures(log)).toEqual(["FAIL  test/a.test.ts > it works: Error: ENOENT"]);
  expect(readFailures("Tests  7 passed (7)")).toEqual([]);
});

test("counts each package, and one that has no log as failed", () => {
  const root = mkdtempSync(join(tmpdir(), "tcpkit-results-"));
  try {
    for (const name of ["core", "echo", "types-only"]) {
      mkdirSync(join(root, "packages", name, ".turbo"), { recursive: true });
      const scripts = name === "types-only" ? {} : { test: "vitest run" };
      writeFileSync(join(root, "packages", name, "package.json"), JSON.stringify({ name, scripts }));
    }
    mkdirSync(join(root, ".turbo"));
    writeFileSync(join(root, "packages/core/.turbo/turbo-test.log"), "Tests  5 passed (5)");
    writeFileSync(join(root, ".turbo/turbo-test$colon$scripts.log"), "Tests  3 passed (3)");
    expect(testResults(root)).toEqual([
      { name: "core", passed: 5, failed: 0, skipped: 0, failures: [] },
      { name: "echo", passed: 0, failed: 1, skipped: 0, failures: [] },
      { name: "scripts", passed: 3, failed: 0, skipped: 0, failures: [] },
    ]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
