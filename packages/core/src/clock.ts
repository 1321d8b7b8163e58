// Time, as the rest of this layer sees it: one interface, so that a test holds the clock in its hand.

/** A source of time. The real one is `systemClock`; tests use `fakeClock()` from `@tcpkit/core/testing`. */
export interface Clock {
  /** Monotonic time, in milliseconds. */
  now(): number;
  /** Calls back every `milliseconds` until the returned function is called. Never keeps the process alive. */
  every(milliseconds: number, callback: () => void): () => void;
}

/** The real clock: `performance.now()` and an unreferenced interval. */
export const systemClock: Clock = {
  now: () => performance.now(),
  every(milliseconds, callback) {
    const interval = setInterval(callback, milliseconds).unref();
    return () => clearInterval(interval);
  },
};
