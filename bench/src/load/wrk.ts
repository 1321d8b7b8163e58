// wrk (https://github.com/wg/wrk): HTTP load in C, so that the load is never what is measured.
import { fileURLToPath } from "node:url";
import type { Load } from "../bench.ts";
import { runLoad } from "../load-process.ts";

/** Requests that the pipelining script sends together. */
export const PIPELINE_DEPTH = 16;

const SCRIPT = fileURLToPath(new URL("pipeline.lua", import.meta.url));

export interface Requests {
  readonly url: string;
  /** Field lines of each, Host among them: `"Accept: text/html"`. */
  readonly fields: readonly string[];
  readonly connections: number;
  /** How many are sent together. */
  readonly depth: number;
  readonly seconds: number;
}

/** Runs wrk with one thread. @throws Error when an answer is not a 2xx. */
export async function wrk(requests: Requests): Promise<Load> {
  const { url, fields, connections, depth, seconds } = requests;
  // wrk's own clock takes whole seconds only; interrupted, it says what it did until then.
  const whole = Number.isInteger(seconds);
  const duration = `-d${whole ? seconds : Math.ceil(seconds) + 1}s`;
  const headers = fields.flatMap((line) => ["-H", line]);
  const [script, depthArgument] =
    depth > 1
      ? [
          ["-s", SCRIPT],
          ["--", String(depth)],
        ]
      : [[], []];
  const output = await runLoad(
    ["wrk", "-t1", `-c${connections}`, duration, ...headers, ...script, url, ...depthArgument],
    whole ? {} : { interruptAfter: seconds },
  );
  // A busy machine had not even started it.
  if (output === "") return wrk({ ...requests, seconds: Math.ceil(seconds) });
  return parseWrk(output);
}

/** Reads wrk's report. @throws Error when it tells of failed requests, or is no report. */
export function parseWrk(output: string): Load {
  const failed = /^\s*(Non-2xx.*|Socket errors:.*)$/m.exec(output)?.[1];
  if (failed !== undefined) throw new Error(`wrk: ${failed}`);
  const [, operations, time, unit] = /(\d+) requests in ([\d.]+)(us|ms|s|m),/.exec(output) ?? [];
  if (operations === undefined || time === undefined || unit === undefined)
    throw new Error(`wrk printed no report: ${JSON.stringify(output)}`);
  const seconds = Number(time) * { us: 1e-6, ms: 1e-3, s: 1, m: 60 }[unit as "us" | "ms" | "s" | "m"];
  return { operations: Number(operations), seconds };
}
