import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { blocksOf, promisedOutput } from "../src/blocks.ts";

const root = join(import.meta.dirname, "../../..");
// Inside this package, so that the programs find @tcpkit/* as a user's program does.
const folder = mkdtempSync(join(import.meta.dirname, "../.blocks-"));
afterAll(() => rmSync(folder, { recursive: true }));

const readmes = [join(root, "README.md"), ...globSync(join(root, "packages/*/README.md"))];

describe.each(readmes)("%s", (readme) => {
  const programs = blocksOf(readFileSync(readme, "utf8")).filter(({ language }) => language === "ts");

  it("shows a program", () => {
    expect(programs.length).toBeGreaterThan(0);
  });

  it.for(programs)("its program at line $line runs, and prints what it says", async ({ text, line }) => {
    const file = join(folder, `${relative(root, readme).replaceAll(/\W/g, "-")}-${line}.ts`);
    writeFileSync(file, text);
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 20_000 });
    expect(stdout.split(/\r?\n/).filter((printed) => printed !== "")).toEqual(promisedOutput(text));
  });
});
