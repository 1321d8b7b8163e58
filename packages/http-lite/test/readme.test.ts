// The README's first block is run as it stands there, but for its port.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("the first block of the README runs, and prints what its comments say", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const code = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const promised = Array.from(code.matchAll(/console\.log\(.*?\); \/\/ (.*)/g), ([, text]) => text);
  expect(promised.length).toBeGreaterThan(0);
  const args = ["--input-type=module-typescript", "--eval", code.replace("port: 8080", "port: 0")];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: new URL("..", import.meta.url),
  });
  expect(stdout.trimEnd().split("\n")).toEqual(promised);
});
