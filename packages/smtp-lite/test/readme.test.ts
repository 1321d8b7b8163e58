import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("the first block of the README runs as it stands", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const block = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  expect(block).toContain("port: 2525");
  // Only the port is another: a fixed one may be taken.
  const file = new URL(`readme-${process.pid}.ts`, import.meta.url);
  writeFileSync(file, block.replace("port: 2525", "port: 0"));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file.pathname]);
    expect(stdout).toContain("ann@example.com -> bob@example.org");
    expect(stdout).toContain("Subject: hello\r\n\r\nHello, Bob!\r\n");
  } finally {
    rmSync(file);
  }
});
