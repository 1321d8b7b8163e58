// What of the peer's a driver waits for, and how long: one deadline, set anew as that changes. It knows no bytes and no
// session.
import { Deadline } from "./deadline.ts";
import type { DeadlineTimer } from "./deadline.ts";
import { assertNever } from "./errors.ts";
import type { Deadlines } from "./handler.ts";

/** What the driver may be waiting for. */
export type Awaited = "first-byte" | "message" | "idle" | "goodbye";

type Milliseconds = { readonly [Name in Awaited | "write"]: number };

function withDefaults({
  idle = 300_000,
  firstByte = idle,
  message = 30_000,
  goodbye = 0,
  write = 60_000,
}: Deadlines): Milliseconds {
  return { "first-byte": firstByte, message, idle, goodbye, write };
}

/** Made once: most connections share it. */
const DEFAULT_DEADLINES: Milliseconds = withDefaults({});

/** Who waits. A method of its own: a closure for each connection would cost memory. */
export interface Waiting {
  onExpired(): void;
}

/** The deadline of one connection's peer. */
export class PeerDeadline extends Deadline {
  /** In milliseconds. */
  readonly times: Milliseconds;
  /** What it is for. */
  awaited: Awaited = "first-byte";
  readonly #waiting: Waiting;
  /** An event came since it was set. */
  #progress = true;

  constructor(timer: DeadlineTimer, deadlines: Deadlines | undefined, waiting: Waiting) {
    super(timer, nothing);
    this.#waiting = waiting;
    this.times = deadlines === undefined ? DEFAULT_DEADLINES : withDefaults(deadlines);
  }

  override expire(): void {
    super.expire();
    this.#waiting.onExpired();
  }

  /** An event came: what is awaited next has its whole time again. */
  progress(): void {
    this.#progress = true;
  }

  /** The peer owes us this. Bytes do not set it anew: events do, a change of what is owed, and a time in which nothing was. */
  await(awaited: Awaited): void {
    if (!this.#progress && awaited === this.awaited && this.pending) return;
    this.#progress = false;
    this.awaited = awaited;
    this.set(millisecondsOf(awaited, this.times));
  }
}

/** Cheaper than to look up a name that differs from time to time. */
function millisecondsOf(awaited: Awaited, times: Milliseconds): number {
  switch (awaited) {
    case "first-byte":
      return times["first-byte"];
    case "message":
      return times.message;
    case "idle":
      return times.idle;
    case "goodbye":
      return times.goodbye;
    default:
      return assertNever(awaited);
  }
}

function nothing(): void {
  // `expire` does what is to be done.
}
