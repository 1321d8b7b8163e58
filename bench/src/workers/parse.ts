// What every parser here is asked to do: a request at a time, each in a chunk of its own.
import assert from "node:assert/strict";
import { task, work } from "./work.ts";
import type { Task } from "./work.ts";

interface ParseTask extends Task {
  /** latin1 text. */
  readonly request: string;
  /** How many field lines it has. */
  readonly fields: number;
  /** Make all of it into strings. */
  readonly strings: boolean;
}

/** What a parser made of a request. It is counted up, so that nothing of it can be left out. */
export interface Parsed {
  /** Requests that were complete. */
  requests: number;
  /** Field lines that were made into strings. */
  fields: number;
  /** Their characters, and those of targets. */
  characters: number;
}

/** How many requests are parsed between two looks at the clock. */
const BATCH = 1000;

/** Proves that a parser parses, then has it do nothing else. `make` gives what parses one request into `parsed`. */
export async function parse(
  make: (request: Buffer, strings: boolean, parsed: Parsed) => () => void,
): Promise<void> {
  const options = task() as ParseTask;
  const request = Buffer.from(options.request, "latin1");
  const parsed: Parsed = { requests: 0, fields: 0, characters: 0 };
  const one = make(request, options.strings, parsed);
  one();
  const strings = options.strings
    ? { fields: options.fields, characters: charactersOf(options.request) }
    : { fields: 0, characters: 0 };
  assert.deepEqual(parsed, { requests: 1, ...strings });
  await work(options, () => {
    const before = parsed.requests;
    for (let count = 0; count < BATCH; count += 1) one();
    return parsed.requests - before;
  });
}

/** Characters of target, names and values. */
function charactersOf(request: string): number {
  const [requestLine = "", ...lines] = request.split("\r\n");
  const target = requestLine.split(" ")[1] ?? "";
  return target.length + lines.join("").length - 2 * lines.filter((line) => line !== "").length;
}
