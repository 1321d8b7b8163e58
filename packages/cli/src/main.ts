#!/usr/bin/env node
// The way in: arguments in, exit code out. It loads what the command needs and nothing else.
import { enableCompileCache } from "node:module";
import { parseArguments, pickLanguage } from "./args.ts";
import { CliError } from "./errors.ts";
import { translator } from "./messages/index.ts";
import type { Translate } from "./messages/index.ts";

// Node keeps what it compiles in the temporary folder: the second start takes half the time of the first.
enableCompileCache();

const argv = process.argv.slice(2);
const language = pickLanguage(argv, process.env);
const say = translator(language);

// A reader that goes away (`tcpkit --help | head -1`) is no error of ours.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = complain(error, say);
}

async function main(): Promise<number> {
  const invocation = parseArguments(argv, process.env);
  switch (invocation.type) {
    case "help": {
      const { help } = await import("./help.ts");
      process.stdout.write(help(invocation.command, say));
      return 0;
    }
    case "version": {
      const { version } = await import("./version.ts");
      process.stdout.write(`${version()}\n`);
      return 0;
    }
    case "run": {
      const { run } = await import("./run.ts");
      // Not left to the event loop: what a cut connection's handler still waits for must not hold the process.
      process.exit(await run(invocation.command, invocation.options, language));
    }
    default:
      return invocation satisfies never;
  }
}

/** One sentence and a hint on standard error; gives the exit code. */
function complain(error: unknown, say: Translate): number {
  if (!(error instanceof CliError)) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`tcpkit: ${say("error.unexpected", { reason })}\n`);
    return 1;
  }
  const hint = error.exitCode === 2 ? ` ${say("error.hint", { command: "tcpkit --help" })}` : "";
  process.stderr.write(`tcpkit: ${say(error.code, error.parameters)}${hint}\n`);
  return error.exitCode;
}
