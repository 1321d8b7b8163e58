// What a bench is: who takes part, what they are asked to do, and what we aim at. It runs nothing.

/** Who answers: a script of `servers/`, run by the Node under test, or a program that listens on a given port. */
export type Contestant = { readonly name: string } & (
  | {
      readonly type: "script";
      readonly file: string;
      /** Environment variables that it gets besides ours. */
      readonly environment?: Readonly<Record<string, string>>;
    }
  | { readonly type: "program"; readonly command: (port: number) => readonly string[] }
);

/** What one run of load did: so many operations in so many seconds, as the load's own clock saw it. */
export interface Load {
  readonly operations: number;
  readonly seconds: number;
}

/** Load that stays until it is disposed of: `operations` connections, which took `seconds` to open. */
export type Held = Load & AsyncDisposable;

/** One kind of load, and what is measured under it. */
export type Scenario = {
  readonly name: string;
  /** One line for the reader of the table. */
  readonly title: string;
  /** What one operation is, in the plural: "requests". */
  readonly unit: string;
} & (
  | {
      /** CPU time and rate; `run` drives the load from a process of its own for about `seconds`. */
      readonly type: "speed";
      run(port: number, seconds: number): Promise<Load>;
    }
  | {
      /** Memory that the server takes for each of `connections` that `hold` opens, from a process of its own. */
      readonly type: "memory";
      hold(port: number, connections: number): Promise<Held>;
    }
);

/**
 * `atLeast`: ours needs at most 1/`atLeast` of what the peer needs for one operation (CPU time, or memory).
 * `atMost`: ours needs no more than this itself (CPU time in microseconds, or memory in KiB).
 */
export type Target =
  | {
      readonly scenario: string;
      readonly peer: string;
      readonly atLeast: number;
      /** Who is judged in place of ours: another way to run it. */
      readonly contestant?: string;
    }
  | { readonly scenario: string; readonly atMost: number };

export interface Bench {
  readonly name: string;
  readonly title: string;
  /** The first is ours; the others are its peers. */
  readonly contestants: readonly [Contestant, ...Contestant[]];
  readonly scenarios: readonly Scenario[];
  readonly targets: readonly Target[];
  /** Tools that the bench wants and this machine lacks, each with what is done instead. */
  readonly missing: readonly Missing[];
  /** Proves that a server does its work before its speed is measured. @throws when it does not. */
  check(port: number): Promise<void>;
}

/** Something that could not be used, and why. */
export interface Missing {
  readonly name: string;
  readonly why: string;
}
