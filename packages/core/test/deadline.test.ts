import { describe, expect, it } from "vitest";
import { Deadline, DeadlineTimer } from "../src/index.ts";
import { fakeClock } from "../src/testing/index.ts";

/** A clock whose ticks come when a test says so, as late as it likes. */
function handTicked() {
  const clock = {
    time: 0,
    tick: (): void => {},
    now: () => clock.time,
    every: (_: number, callback: () => void) => {
      clock.tick = callback;
      return () => {};
    },
  };
  return clock;
}

describe("Deadline", () => {
  it("expires once, never early, and at most two ticks late", () => {
    const clock = fakeClock();
    const timer = new DeadlineTimer(clock);
    const expired: number[] = [];
    const deadline = new Deadline(timer, () => expired.push(clock.now()));
    clock.advance(30);
    deadline.set(1000);
    clock.advance(999);
    expect(expired).toEqual([]);
    clock.advance(5000);
    expect(expired).toHaveLength(1);
    expect(expired[0]).toBeGreaterThanOrEqual(1030);
    expect(expired[0]).toBeLessThanOrEqual(1230);
  });

  it("starts again when it is set again, and not at all once cleared", () => {
    const clock = fakeClock();
    const timer = new DeadlineTimer(clock);
    let expired = 0;
    const deadline = new Deadline(timer, () => (expired += 1));
    for (let round = 0; round < 10; round++) {
      deadline.set(500);
      clock.advance(400);
    }
    expect(expired).toBe(0);
    deadline.clear();
    clock.advance(10_000);
    expect(expired).toBe(0);
  });

  it("is never early after time in which no tick could come, and gives one tick to hear what has come meanwhile", () => {
    const clock = handTicked();
    const timer = new DeadlineTimer(clock);
    const expired: Record<string, number> = {};
    const before = new Deadline(timer, () => (expired["before"] = clock.time));
    const after = new Deadline(timer, () => (expired["after"] = clock.time));
    before.set(1000);
    clock.time = 100;
    clock.tick();
    clock.time = 60_000;
    after.set(1000);
    clock.tick();
    expect(expired).toEqual({});
    for (let ticks = 0; ticks < 20; ticks++, clock.tick()) clock.time += 100;
    expect(expired["before"]).toBe(60_100);
    expect(expired["after"]).toBeGreaterThanOrEqual(61_000);
    expect(expired["after"]).toBeLessThanOrEqual(61_200);
  });

  it("is at most two ticks late while every tick is", () => {
    const clock = handTicked();
    const timer = new DeadlineTimer(clock);
    let expired = 0;
    new Deadline(timer, () => (expired = clock.time)).set(3000);
    for (; expired === 0; clock.tick()) clock.time += 250;
    expect(expired).toBeLessThanOrEqual(3750);
  });

  it("lets the timer stand still when nobody is left", () => {
    let running = 0;
    const timer = new DeadlineTimer({
      now: () => 0,
      every: () => {
        running += 1;
        return () => (running -= 1);
      },
    });
    const first = new Deadline(timer, () => {});
    const second = new Deadline(timer, () => {});
    first.set(1);
    second.set(1);
    expect(running).toBe(1);
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    expect(running).toBe(0);
  });
});
