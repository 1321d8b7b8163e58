// A clock that stands still until a test moves it.
import type { Clock } from "../clock.ts";

/** A clock in the test's hand. */
export interface FakeClock extends Clock {
  /** Moves time on, in milliseconds, running everything that comes due, in order. */
  advance(milliseconds: number): void;
  /** Timers that run on it: 0 once everything that used it is closed. */
  readonly timers: number;
}

interface Interval {
  readonly every: number;
  readonly callback: () => void;
  due: number;
}

/** Makes a clock that starts at 0 and moves only by `advance`. */
export function fakeClock(): FakeClock {
  let now = 0;
  const intervals = new Set<Interval>();
  const nextDue = (limit: number): Interval | undefined => {
    let next: Interval | undefined;
    for (const interval of intervals) {
      if (interval.due <= limit && (next === undefined || interval.due < next.due)) next = interval;
    }
    return next;
  };
  return {
    now: () => now,
    get timers() {
      return intervals.size;
    },
    every(milliseconds, callback) {
      const interval = { every: milliseconds, callback, due: now + milliseconds };
      intervals.add(interval);
      return () => intervals.delete(interval);
    },
    advance(milliseconds) {
      const target = now + milliseconds;
      for (let next = nextDue(target); next !== undefined; next = nextDue(target)) {
        now = next.due;
        next.due += next.every;
        next.callback();
      }
      now = target;
    },
  };
}
