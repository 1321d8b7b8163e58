// The page is plain JavaScript whose types stand in comments: they are checked here, against the types of `src`.
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("the page's types are right", async () => {
  const compiler = join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");
  const project = fileURLToPath(new URL("../assets/tsconfig.json", import.meta.url));
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile(process.execPath, [compiler, "-p", project, "--listFiles"], (_error, output) => resolve(output));
  const lines = (await promise).split("\n");
  expect(lines.filter((line) => line.includes("error TS"))).toEqual([]);
  expect(lines.some((line) => line.endsWith("assets/inspector.js"))).toBe(true);
});
