// What a bench is: who takes part, what they are asked to do, and what we aim at. It runs nothing.

/** A bench of servers that are put under load, or of workers that are asked to do something themselves. */
export type Bench = ServerBench | WorkBench;

interface CommonBench {
  readonly name: string;
  readonly title: string;
  readonly targets: readonly Target[];
  /** Tools and peers that the bench wants and this machine lacks, each with what is done instead. */
  readonly missing: readonly Missing[];
}

export interface ServerBench extends CommonBench {
  readonly type: "servers";
  /** The first is ours; the others are its peers. */
  readonly contestants: readonly [Contestant, ...Contestant[]];
  readonly scenarios: readonly Scenario[];
  /** Proves that a server does its work before its speed is measured. @throws when it does not. */
  check(port: number): Promise<void>;
}

export interface WorkBench extends CommonBench {
  readonly type: "workers";
  /** The first is ours; the others are its peers. */
  readonly contestants: readonly [Worker, ...Worker[]];
  readonly scenarios: readonly WorkScenario[];
  /** The server that all of them talk with. It runs where load runs, and is not measured. */
  readonly partner?: Contestant;
}

/** Who answers: a script of `servers/`, run by the Node under test, or a program that listens on a given port. */
export type Contestant = { readonly name: string } & (
  | {
      readonly type: "script";
      readonly file: string;
      /** Environment variables that it gets besides ours. */
      readonly environment?: Readonly<Record<string, string>>;
    }
  | { readonly type: "program"; readonly command: (given: Given) => readonly string[] }
);

/** What a server gets to run with. A script gets the folder as its argument. */
export interface Given {
  /** The port that a program is to listen on, on 127.0.0.1. */
  readonly port: number;
  /** An empty folder of its own, which is removed when it has ended. */
  readonly folder: string;
  /** The Node under test. */
  readonly node: string;
}

/** A script of `workers/`: it proves that it works, does so for a while, and says what it did and what it used. */
export interface Worker {
  readonly name: string;
  readonly file: string;
}

/** What one run of load did: so many operations in so many seconds, as the load's own clock saw it. */
export interface Load {
  readonly operations: number;
  readonly seconds: number;
}

/** Load that stays until it is disposed of: `operations` connections, which took `seconds` to open. */
export type Held = Load & AsyncDisposable;

/** What every kind of scenario says of itself. */
interface CommonScenario {
  readonly name: string;
  /** One line for the reader of the table. */
  readonly title: string;
  /** What one operation is, in the plural: "requests". */
  readonly unit: string;
  /** The names of those who take part. Default: everybody. */
  readonly only?: readonly string[];
}

/** One kind of load, and what is measured under it. */
export type Scenario = CommonScenario &
  (
    | {
        /** CPU time and rate; `run` drives the load from a process of its own for about `seconds`. */
        readonly type: "speed";
        /** Each turn has a new server process, so that its peak memory is that of this load alone. */
        readonly fresh?: boolean;
        run(port: number, seconds: number): Promise<Load>;
      }
    | {
        /** Memory that the server takes for each of `connections` that `hold` opens, from a process of its own. */
        readonly type: "memory";
        hold(port: number, connections: number): Promise<Held>;
      }
  );

/** One kind of work; `options` is what the workers are told of it. */
export type WorkScenario = CommonScenario & { readonly options: object };

/** What we aim at in one scenario. */
export type Target = {
  readonly scenario: string;
  /** Who is judged in place of ours: another way to run it. */
  readonly contestant?: string;
  /** For the reader, where the target is missed. */
  readonly why?: string;
} & (
  | {
      /** Ours needs at most 1/`atLeast` of what the peer needs for one operation: CPU time, or memory. */
      readonly peer: string;
      readonly atLeast: number;
      /** Operations a second are judged instead: where a server mostly waits, for a disk. */
      readonly by?: "rate";
    }
  | {
      /** The same, but against itself in another scenario. */
      readonly comparedTo: string;
      readonly atLeast: number;
    }
  | {
      /** Needs no more than this for one operation (CPU time in microseconds, or memory in KiB), or at its peak (MiB). */
      readonly atMost: number;
      readonly of?: "peak memory";
    }
);

/** Something that could not be used, and why. */
export interface Missing {
  readonly name: string;
  readonly why: string;
}
