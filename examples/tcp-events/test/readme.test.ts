// The index of the examples is complete, and its commands name programs that exist.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const README = readFileSync(join(ROOT, "examples/README.md"), "utf8");

it("lists every program of this package, once", () => {
  const listed = [...README.matchAll(/^\|[^|]*\| +\[`([\w-]+)`\]\(tcp-events\/src\/\1\.ts\) +\|/gm)];
  const programs = readdirSync(join(ROOT, "examples/tcp-events/src"));
  expect(listed.map(([, name]) => `${name}.ts`).toSorted()).toEqual(programs.toSorted());
});

it("gives commands that are right from the root of the repository", () => {
  const commands = [...README.matchAll(/node (examples\/\S+)/g)].map(([, file = ""]) => file);
  expect(commands.length).toBeGreaterThan(5);
  for (const file of commands) expect(existsSync(join(ROOT, file)), file).toBe(true);
});
