import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { blocksOf, stepsOf } from "../src/blocks.ts";

const root = join(import.meta.dirname, "../../..");
const steps = blocksOf(readFileSync(join(root, "README.md"), "utf8"))
  .filter(({ language }) => language === "console")
  .flatMap(({ text }) => stepsOf(text));

interface Ready {
  readonly services: readonly { readonly name: string; readonly port: number }[];
}

const missing = ["nc", "curl", "bash"].filter((tool) => {
  try {
    execFileSync("which", [tool]);
    return false;
  } catch {
    return true;
  }
});
if (missing.length > 0) console.warn(`SKIPPED: the README's transcript needs ${missing.join(", ")}`);

it.skipIf(missing.length > 0 && process.env["CI"] === undefined)(
  "the README's transcript is what happens",
  async () => {
    expect(missing).toEqual([]);
    expect(steps.length).toBeGreaterThan(3);
    const server = spawn(
      process.execPath,
      [join(root, "packages/cli/src/main.ts"), "start", "--port", "0", "--json"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    try {
      const [line] = (await once(createInterface(server.stdout), "line")) as [string];
      const { services } = JSON.parse(line) as Ready;
      // The README shows the default ports; here each service has a free one.
      const defaults = { echo: 7007, http: 8080, smtp: 2525, inspector: 7070 } as Record<string, number>;
      const here = (command: string): string =>
        services.reduce(
          (text, { name, port }) => text.replaceAll(new RegExp(`\\b${defaults[name]}\\b`, "g"), `${port}`),
          command,
        );
      for (const { command, output } of steps) {
        // Asynchronous runs would overlap: each command is one a person types after the last has ended.
        const printed = execFileSync("bash", ["-c", here(command)], { encoding: "utf8", timeout: 10_000 });
        expect(`$ ${command}\n${printed.trimEnd()}\n`).toBe(`$ ${command}\n${output}`);
      }
    } finally {
      server.kill("SIGTERM");
      await once(server, "exit");
    }
  },
);
