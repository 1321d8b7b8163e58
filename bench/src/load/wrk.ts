// wrk (https://github.com/wg/wrk): HTTP load in C, so that the load is never what is measured.
import { fileURLToPath } from "node:url";
import type { Load } from "../bench.ts";
import { runLoad } from "../load-process.ts";

/** Requests that the pipelining script sends together. */
export const PIPELINE_DEPTH = 16;

const SCRIPT = fileURLToPath(new URL("pipeline.lua", import.meta.url));

/** Runs wrk with one thread for `seconds` (wrk takes whole ones). @throws Error when an answer is not a 2xx. */
export async function wrk(url: string, connections: number, depth: number, seconds: number): Promise<Load> {
  const duration = `-d${Math.max(1, Math.round(seconds))}s`;
  const script = depth > 1 ? ["-s", SCRIPT] : [];
  const depthArgument = depth > 1 ? ["--", String(depth)] : [];
  return parseWrk(
    await runLoad(["wrk", "-t1", `-c${connections}`, duration, ...script, url, ...depthArgument]),
  );
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
