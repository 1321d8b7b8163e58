// What a bench is: who takes part, what they are asked to do, and what we aim at. It runs nothing.

/** Who answers: a script of `servers/`, run by the Node under test, or a program that listens on a given port. */
export type Contestant = { readonly name: string } & (
  | { readonly type: "script"; readonly file: string }
  | { readonly type: "program"; readonly command: (port: number) => readonly string[] }
);

/** What one run of load did: so many operations in so many seconds, as the load's own clock saw it. */
export interface Load {
  readonly operations: number;
  readonly seconds: number;
}

/** One kind of load. `run` drives it from a process of its own for about `seconds`. */
export interface Scenario {
  readonly name: string;
  /** One line for the reader of the table. */
  readonly title: string;
  /** What one operation is, in the plural: "requests". */
  readonly unit: string;
  run(port: number, seconds: number): Promise<Load>;
}

/** We aim at using at most 1/`atLeast` of the CPU time that the peer needs for one operation. */
export interface Target {
  readonly scenario: string;
  readonly peer: string;
  readonly atLeast: number;
}

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
