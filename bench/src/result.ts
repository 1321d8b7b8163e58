// What a run leaves behind: every measurement and all that is needed to read it. This is the JSON file.
import type { Bench, Missing, Target } from "./bench.ts";
import type { Machine } from "./machine.ts";

/** One run of load against one contestant. */
export interface Sample {
  readonly scenario: string;
  readonly contestant: string;
  /** Samples of one round were taken one right after the other, so they may be compared with each other. */
  readonly round: number;
  readonly operations: number;
  readonly seconds: number;
  /** CPU time that the server used meanwhile, in microseconds; absent where the system does not say. */
  readonly cpuMicroseconds?: number;
  /** The most memory that the server had resident up to then, in MiB. */
  readonly peakMemory?: number;
  /** What the server's resident memory grew by, in KiB, where memory was measured. */
  readonly memory?: number;
}

export interface Settings {
  /** How many times each contestant takes its turn. */
  readonly rounds: number;
  /** How long a turn lasts, where speed is measured. */
  readonly seconds?: number;
  /** How many connections are held at once, where memory is measured. */
  readonly connections?: number;
}

export interface Result {
  readonly bench: string;
  readonly title: string;
  /** ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly missing: readonly Missing[];
  /** As the bench had them then, without the reasons for missing them. */
  readonly targets: readonly Target[];
  readonly scenarios: readonly Pick<Bench["scenarios"][number], "name" | "title" | "unit">[];
  /** Who took part; the first is ours, unless it is among the missing. */
  readonly contestants: readonly { readonly name: string }[];
  readonly ours: string;
  readonly samples: readonly Sample[];
}
