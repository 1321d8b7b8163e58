// The programs of docs/testing.md run, and print what they say.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const text = readFileSync(join(import.meta.dirname, "../../../docs/testing.md"), "utf8");
const programs = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, program = ""]) => program);
// Inside this package, so that the programs find @tcpkit/core as a user's program does.
const folder = mkdtempSync(join(import.meta.dirname, "../.blocks-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("shows programs", () => {
  expect(programs.length).toBeGreaterThan(3);
});

it.for(programs.map((program, index) => ({ number: index + 1, program })))(
  "program $number of docs/testing.md runs, and prints what it says",
  ({ number, program }) => {
    const file = join(folder, `${number}.ts`);
    writeFileSync(file, program);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const promised = [...program.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => line);
    expect(stdout.split("\n").filter(Boolean)).toEqual(promised);
  },
);
