// docs/your-own-protocol.md promises this code: every block of it is the source as it is, or is run.
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { rpc } from "../src/protocol.ts";
import { serveRpc } from "../src/server.ts";

const here = join(import.meta.dirname, "..");
const root = join(here, "../..");
const guide = readFileSync(join(root, "docs/your-own-protocol.md"), "utf8").replaceAll("\r\n", "\n");
const blocks = [...guide.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language: language!,
  text: text!,
}));
const sources = new Map(
  globSync("{src,test}/*.ts", { cwd: here }).map((file) => [
    file.replaceAll("\\", "/"),
    readFileSync(join(here, file), "utf8").replaceAll("\r\n", "\n"),
  ]),
);

const of = (language: string): string[] =>
  blocks.filter((block) => block.language === language).map(({ text }) => text);
const isCode = (line: string): boolean => !/^\s*(\/\/|\/\*\*|\*|$)/.test(line);

it("has blocks of those kinds only that are checked here", () => {
  expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(["ts", "text", "sh", "console"]));
});

it.each(of("ts").map((text) => [text.trimStart().split("\n")[0], text]))(
  "shows the source as it is: %s",
  (_line, text) => {
    // A test shown by itself stands at the margin; in the source it may stand inside a `describe`.
    const indented = text.replaceAll(/^(?=.)/gm, "  ");
    const holds = [...sources].filter(
      ([, source]) => `\n${source}`.includes(`\n${text}`) || source.includes(`\n${indented}`),
    );
    expect(holds.map(([file]) => file)).toHaveLength(1);
  },
);

it("leaves out no line of the protocol or of the server, and the protocol has the 60 lines of its title", () => {
  const shown = new Set(of("ts").flatMap((text) => text.split("\n")));
  for (const file of ["src/protocol.ts", "src/server.ts"]) {
    const code = sources.get(file)!.split("\n").filter(isCode);
    expect(code.filter((line) => !shown.has(line))).toEqual([]);
  }
  expect(guide.split("\n")[0]).toBe("# Your own protocol in 60 lines");
  expect(sources.get("src/protocol.ts")!.split("\n").filter(isCode).length).toBeLessThanOrEqual(60);
});

it("shows a frame as it is on the wire", () => {
  const [text = ""] = of("text");
  const [, length = "", json = ""] = /^((?:[0-9a-f]{2} ){4}) +(\{.*\})$/m.exec(text) ?? [];
  const session = rpc.session();
  session.receive(Buffer.concat([Buffer.from(length.replaceAll(" ", ""), "hex"), Buffer.from(json)]));
  expect(session.next()).toMatchObject({ type: "call", method: "add", params: [2, 3] });
  expect(session.partial).toBe(false);
});

it("shows commands that print what it says", { timeout: 30_000 }, async () => {
  expect(of("sh")).toEqual(["node examples/own-protocol/src/server.ts\n"]);
  await using server = await serveRpc();
  const steps = of("console").flatMap((text) => text.split(/^\$ /m).slice(1));
  expect(steps.length).toBeGreaterThan(1);
  for (const step of steps) {
    const [command = "", ...output] = step.split("\n");
    const args = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([word, quoted]) => quoted ?? word);
    expect(args.shift()).toBe("node");
    // The guide talks to the default port; this server has a free one.
    const run = promisify(execFile)(process.execPath, [...args, `${server.port}`], { cwd: root });
    const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
    expect(stdout + stderr).toBe(output.join("\n"));
  }
});

it("links to files that exist", () => {
  const links = [...guide.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target!);
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) expect(() => readFileSync(join(root, "docs", link))).not.toThrow();
});
