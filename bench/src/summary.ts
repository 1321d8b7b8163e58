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
 * The rows of one scenario, ours first: who took part in it. Ratios are taken within a round, and then their median;
 * `reference` is who counts as ours in them.
 */
export function rowsOf(result: Result, scenario: string, reference: string = result.ours): readonly Row[] {
  const ours = samplesOf(result, scenario, reference);
  return result.contestants.flatMap(({ name }) => {
    const theirs = samplesOf(result, scenario, name);
    if (theirs.length === 0) return [];
    const row = {
      contestant: name,
      ...only("rate", figure(theirs.map(rate))),
      ...only("cpu", figure(theirs.map(cpu))),
      ...only("busy", figure(theirs.map(busy))?.median),
      ...only("peakMemory", highest(theirs.map(({ peakMemory }) => peakMemory))),
      ...only("memory", figure(theirs.map(memory))),
      ...(name !== reference && {
        ...only("byCpu", figure(inRounds(ours, theirs, (our, their) => quotient(cpu(their), cpu(our))))),
        ...only(
          "byMemory",
          figure(inRounds(ours, theirs, (our, their) => quotient(memory(their), memory(our)))),
        ),
        ...only("byRate", figure(inRounds(ours, theirs, (our, their) => quotient(rate(our), rate(their))))),
      }),
    };
    return [row as Row];
  });
}

export interface Verdict {
  readonly target: Target;
  /**
   * `atLeast`: ours against the peer, or against itself in the other scenario: by memory where that was measured, else
   * by CPU time, or by rate where the system tells none. `atMost`: what ours needs.
   */
  readonly measured: number | undefined;
  /** `unknown` when ours or the peer is missing. */
  readonly outcome: "met" | "not met" | "unknown";
}

/** Judges every target of a run. */
export function judge(result: Result): readonly Verdict[] {
  return result.targets.map((target) => {
    const measured = measuredFor(result, target);
    if (measured === undefined) return { target, measured, outcome: "unknown" };
    const met = "atMost" in target ? measured <= target.atMost : measured >= target.atLeast;
    return { target, measured, outcome: met ? "met" : "not met" };
  });
}

function measuredFor(result: Result, target: Target): number | undefined {
  const { scenario, contestant = result.ours } = target;
  if ("comparedTo" in target) {
    const here = samplesOf(result, scenario, contestant);
    const there = samplesOf(result, target.comparedTo, contestant);
    const ratios = inRounds(
      here,
      there,
      (one, other) => quotient(cpu(other), cpu(one)) ?? quotient(rate(one), rate(other)),
    );
    return figure(ratios)?.median;
  }
  const rowOf = (name: string): Row | undefined =>
    rowsOf(result, scenario, contestant).find((row) => row.contestant === name);
  if ("atMost" in target) {
    const row = rowOf(contestant);
    return target.of === "peak memory" ? row?.peakMemory : (row?.memory ?? row?.cpu)?.median;
  }
  const row = rowOf(target.peer);
  if (target.by === "rate") return row?.byRate?.median;
  return (row?.byMemory ?? row?.byCpu ?? row?.byRate)?.median;
}

function samplesOf(result: Result, scenario: string, contestant: string): readonly Sample[] {
  return result.samples.filter((sample) => sample.scenario === scenario && sample.contestant === contestant);
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

function highest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** An object with one property, or with none where there is no value. */
function only<Name extends string, Value>(name: Name, value: Value | undefined): { [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [name in Name]: Value });
}
