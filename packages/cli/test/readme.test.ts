// What the README says can be typed as it stands.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseArguments } from "../src/args.ts";
import { commandNames, defaultPorts, flags } from "../src/commands.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
  block.trim().split("\n"),
);

it.each(blocks)("%s", (line) => {
  const [program, ...args] = line.split(" ");
  expect(program).toBe("tcpkit");
  expect(() => parseArguments(args, {})).not.toThrow();
});

it("names every command, every flag with its variable, and every default port", () => {
  for (const name of commandNames) expect(readme).toContain(`\`tcpkit ${name}`);
  for (const [name, { environment }] of Object.entries(flags)) {
    expect(readme).toContain(`\`--${name}`);
    if (environment !== undefined) expect(readme).toContain(`\`${environment}\``);
  }
  for (const [name, port] of Object.entries(defaultPorts)) expect(readme).toContain(`${name} ${port}`);
});
