import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { blocksOf, promisedOutput } from "../src/blocks.ts";
import type { Block } from "../src/blocks.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
// Inside this package, so that the programs find @tcpkit/* as a user's program does.
const folder = mkdtempSync(join(import.meta.dirname, "../.blocks-"));
afterAll(() => rmSync(folder, { recursive: true }));

function programsOf(readme: string): Block[] {
  return blocksOf(readFileSync(join(root, readme), "utf8")).filter(({ language }) => language === "ts");
}

function save(readme: string, { text, line }: Block): string {
  const name = `${readme.replaceAll(/\W/g, "-")}-${line}.ts`;
  // An empty export makes a module of a program without imports.
  writeFileSync(join(folder, name), `${text}export {};\n`);
  return name;
}

// The other packages run the first program of their README among their own tests.
describe.each(["README.md", "packages/core/README.md", "packages/echo/README.md"])("%s", (readme) => {
  const programs = programsOf(readme);

  it("shows a program", () => {
    expect(programs.length).toBeGreaterThan(0);
  });

  it.for(programs)(
    "its program at line $line runs, and prints what it says",
    { timeout: 30_000 },
    async (program) => {
      const file = join(folder, save(readme, program));
      const { stdout } = await run(process.execPath, [file], { timeout: 25_000 });
      expect(stdout.split(/\r?\n/).filter((printed) => printed !== "")).toEqual(promisedOutput(program.text));
    },
  );
});

it("every program of every README of the packages type-checks", { timeout: 60_000 }, async () => {
  const readmes = globSync("packages/*/README.md", { cwd: root });
  const files = readmes.flatMap((readme) => programsOf(readme).map((program) => save(readme, program)));
  expect(files.length).toBeGreaterThan(readmes.length);
  const extend = "../../../tsconfig.json";
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: extend, include: [], files }));
  const tsc = join(import.meta.dirname, "../node_modules/typescript/bin/tsc");
  const { stdout } = await run(process.execPath, [tsc, "-p", folder]).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe("");
});

it("the Chinese README shows the same programs and commands as the English one", () => {
  const [english, chinese] = ["README.md", "README.zh-CN.md"].map((readme) =>
    blocksOf(readFileSync(join(root, readme), "utf8")).map(({ language, text }) => ({ language, text })),
  );
  expect(chinese).toEqual(english);
});
