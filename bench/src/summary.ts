// From measurements to figures: medians, spreads, ratios, and whether a target was met. It prints nothing.
import type { Target } from "./bench.ts";
import type { Result, Sample } from "./result.ts";
import { median, spread } from "./stats.ts";

export interface Figure {
  readonly median: number;
  readonly spread: number;
}

/** What one contestant did in one scenario. */
export interface Row {
  readonly contestant: string;
  /** Operations a second. */
  readonly rate: Figure;
  /** CPU time of the server, in microseconds an operation. */
  readonly cpu?: Figure;
  /** How much of one core the server used. Well below 1, the load was the limit, and the rate says little. */
  readonly busy?: number;
  readonly peakMemory?: number;
  /** Memory for one operation, in KiB, where that was measured. */
  readonly memory?: Figure;
  /** How many times the operations ours does in the same CPU time; above 1, ours is better. */
  readonly byCpu?: Figure;
  /** How many times the operations ours does with the same memory. */
  readonly byMemory?: Figure;
  /** How many times the operations ours does in the same time. */
  readonly byRate?: Figure;
}

/**
 * The rows of one scenario, ours first. Ratios are taken within a round, and then their median; `reference` is who
 * counts as ours in them.
 */
export function rowsOf(result: Result, scenario: string, reference: string = result.ours): readonly Row[] {
  const samplesOf = (contestant: string): readonly Sample[] =>
    result.samples.filter((sample) => sample.scenario === scenario && sample.contestant === contestant);
  const ours = samplesOf(reference);
  return result.contestants.map(({ name }) => {
    const theirs = samplesOf(name);
    return {
      contestant: name,
      ...only("rate", figure(theirs.map(rate))),
      ...only("cpu", figure(theirs.map(cpu))),
      ...only("busy", figure(theirs.map(busy))?.median),
      ...only("peakMemory", theirs.at(-1)?.peakMemory),
      ...only("memory", figure(theirs.map(memory))),
      ...(name !== reference && {
        ...only("byCpu", figure(inRounds(ours, theirs, (our, their) => quotient(cpu(their), cpu(our))))),
        ...only(
          "byMemory",
          figure(inRounds(ours, theirs, (our, their) => quotient(memory(their), memory(our)))),
        ),
        ...only("byRate", figure(inRounds(ours, theirs, (our, their) => quotient(rate(our), rate(their))))),
      }),
    } as Row;
  });
}

export interface Verdict {
  readonly target: Target;
  /**
   * `atLeast`: ours against the peer, by memory where that was measured, else by CPU time, or by rate where the system
   * tells none. `atMost`: what ours needs for one operation.
   */
  readonly measured: number | undefined;
  /** `unknown` when ours or the peer is missing. */
  readonly outcome: "met" | "not met" | "unknown";
}

/** Judges every target of a run. */
export function judge(result: Result): readonly Verdict[] {
  return result.targets.map((target) => {
    const rowOf = (name: string, reference?: string): Row | undefined =>
      rowsOf(result, target.scenario, reference).find(({ contestant }) => contestant === name);
    if ("atMost" in target) {
      const row = rowOf(result.ours);
      return verdict(target, row?.memory ?? row?.cpu, (measured) => measured <= target.atMost);
    }
    const row = rowOf(target.peer, target.contestant);
    const ratio = row?.byMemory ?? row?.byCpu ?? row?.byRate;
    return verdict(target, ratio, (measured) => measured >= target.atLeast);
  });
}

function verdict(target: Target, figure: Figure | undefined, met: (measured: number) => boolean): Verdict {
  const measured = figure?.median;
  if (measured === undefined) return { target, measured, outcome: "unknown" };
  return { target, measured, outcome: met(measured) ? "met" : "not met" };
}

function rate({ operations, seconds }: Sample): number {
  return operations / seconds;
}

function cpu({ operations, cpuMicroseconds }: Sample): number | undefined {
  return cpuMicroseconds === undefined ? undefined : cpuMicroseconds / operations;
}

function memory({ operations, memory }: Sample): number | undefined {
  return memory === undefined ? undefined : memory / operations;
}

function busy({ seconds, cpuMicroseconds }: Sample): number | undefined {
  return cpuMicroseconds === undefined ? undefined : cpuMicroseconds / (seconds * 1e6);
}

function quotient(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined || below === 0 ? undefined : above / below;
}

function inRounds(
  ours: readonly Sample[],
  theirs: readonly Sample[],
  ratio: (our: Sample, their: Sample) => number | undefined,
): (number | undefined)[] {
  return ours.map((our) => {
    const their = theirs.find(({ round }) => round === our.round);
    return their && ratio(our, their);
  });
}

function figure(values: readonly (number | undefined)[]): Figure | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : { median: median(known), spread: spread(known) };
}

/** An object with one property, or with none where there is no value. */
function only<Name extends string, Value>(name: Name, value: Value | undefined): { [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [name in Name]: Value });
}
