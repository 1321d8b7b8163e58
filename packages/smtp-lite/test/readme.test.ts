// The programs of the README that need nothing but themselves run as they stand there, and what their comments say is so.
// That the others compile is checked by examples/readme.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = ""]) => block);

/** An expression, and behind it a comment that says its value: a string. */
const PROMISE = /^(\S.*); \/\/ (".*")$/gm;

/** Runs the block with these words in it, and gives what it prints. */
async function run(words: string): Promise<string> {
  const block = blocks.find((text) => text.includes(words)) ?? "";
  expect(block).toContain(words);
  // A fixed port may be taken.
  const program = block.replace("port: 2525", "port: 0").replace(PROMISE, "console.log(JSON.stringify($1));");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module-typescript", "--eval", program],
    { cwd: new URL("..", import.meta.url), timeout: 15_000 },
  );
  const promised = Array.from(block.matchAll(PROMISE), ([, , value]) => value);
  if (promised.length > 0) expect(stdout.trimEnd().split("\n")).toEqual(promised);
  return stdout;
}

it("the first program serves and sends", async () => {
  expect(blocks[0]).toContain("sendMail");
  const stdout = await run("console.log(`${envelope.from?.address}");
  expect(stdout).toContain("ann@example.com -> bob@example.org");
  expect(stdout).toContain("Subject: hello\r\n\r\nHello, Bob!\r\n");
});

it.each(["inbox.next({", "faults.applied;", "new SmtpSession()"])(
  "the program with %s runs",
  async (words) => {
    await run(words);
  },
);
