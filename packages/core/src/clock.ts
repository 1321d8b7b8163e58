// Time, as the rest of this layer sees it: one interface, so that a test holds the clock in its hand.

/** A source of time. The real one is `systemClock`; tests use `fakeClock()` from `@tcpkit/core/testing`. */
export interface Clock {
  /** Monotonic time, in milliseconds. */
  now(): number;
  /**
   * Calls back every `milliseconds` until the returned function is called. It keeps the process alive only where
   * `keepAlive` is true.
   */
  every(milliseconds: number, callback: () => void, keepAlive?: boolean): () => void;
}

/** The real clock: `performance.now()` and an interval. */
export const systemClock: Clock = {
  now: () => performance.now(),
  every(milliseconds, callback, keepAlive = false) {
    const interval = setInterval(callback, milliseconds);
    if (!keepAlive) interval.unref();
    return () => clearInterval(interval);
  },
};

/** Node's timers reach no further, in milliseconds (24.8 days); given more, they fire at once. */
const FURTHEST = 2 ** 31 - 1;

/**
 * Calls back once, in `milliseconds`, unless the returned function is called before. The process stays alive until
 * then: whoever uses this is at work, and would be forgotten otherwise.
 */
export function after(clock: Clock, milliseconds: number, callback: () => void): () => void {
  const once = (): void => {
    stop();
    callback();
  };
  const stop = clock.every(Math.min(milliseconds, FURTHEST), once, true);
  return stop;
}
