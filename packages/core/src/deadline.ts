// Deadlines from one coarse shared timer: setting one is writing a number. It knows nothing of connections.
import { Bag } from "./bag.ts";
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";

/** How often deadlines are looked at, in milliseconds; one expires at most twice this much late (see below), and never early. */
const RESOLUTION = 100;

/**
 * The shared timer: it ticks while there is a deadline to watch and stands still otherwise. Ten thousand
 * connections cost one timer and a loop over ten thousand numbers.
 *
 * While the event loop is busy, or the machine asleep, ticks do not come, and nobody is heard. So after a late tick deadlines get
 * as much more time: those that were set since the tick before, when the time was not known, the delay; all others one tick
 * more, in which what has arrived is read.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #watched = new Bag<Deadline>();
  #stop: (() => void) | undefined;
  /** Counts ticks. @internal */
  ticks = 0;
  /** The time of the last tick, in milliseconds: good enough to set deadlines by, and free to read. */
  now: number;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.now = clock.now();
  }

  /** @internal */
  watch(deadline: Deadline): void {
    this.#watched.add(deadline);
    if (this.#stop !== undefined) return;
    this.now = this.#clock.now();
    this.#stop = this.#clock.every(RESOLUTION, () => this.#tick());
  }

  /** @internal */
  unwatch(deadline: Deadline): void {
    this.#watched.delete(deadline);
    if (this.#watched.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #tick(): void {
    const before = this.now;
    this.now = this.#clock.now();
    const late = Math.max(0, this.now - before - RESOLUTION);
    const heard = late > RESOLUTION ? before : this.now;
    for (const deadline of this.#watched) {
      if (deadline.tick === this.ticks) deadline.expires += late;
      if (deadline.expires <= heard) deadline.expire();
    }
    this.ticks += 1;
  }
}

/** The timer that all connections of this process share unless told otherwise. */
export const sharedTimer: DeadlineTimer = new DeadlineTimer();

/** One deadline. Set it as often as you like: nothing is allocated. Dispose of it when its owner is gone. */
export class Deadline {
  readonly #timer: DeadlineTimer;
  readonly #onExpire: () => void;
  /** @internal When it expires, on the timer's clock; `Infinity` while it is not set. */
  expires = Infinity;
  /** @internal Ticks when it was set. */
  tick = 0;
  /** @internal */
  slot = -1;

  constructor(timer: DeadlineTimer, onExpire: () => void) {
    this.#timer = timer;
    this.#onExpire = onExpire;
  }

  /** Expires in `milliseconds` from now; `Infinity` clears it. */
  set(milliseconds: number): void {
    if (this.slot < 0) this.#timer.watch(this);
    // One tick more, since the timer's time may be one tick old: late is harmless, early is not.
    this.expires = this.#timer.now + milliseconds + RESOLUTION;
    this.tick = this.#timer.ticks;
  }

  /** True while it is set and has not expired. */
  get pending(): boolean {
    return this.expires !== Infinity;
  }

  clear(): void {
    this.expires = Infinity;
  }

  /** @internal */
  expire(): void {
    this.expires = Infinity;
    this.#onExpire();
  }

  [Symbol.dispose](): void {
    this.expires = Infinity;
    this.#timer.unwatch(this);
  }
}
