import { expect, it } from "vitest";
import { median, spread } from "../src/stats.ts";

it("takes the middle value, whatever the order", () => {
  expect(median([5])).toBe(5);
  expect(median([30, 10, 20])).toBe(20);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  // Numbers, not text: 9 comes before 10.
  expect(median([10, 9, 100])).toBe(10);
});

it("leaves the list as it was", () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});

it("has no median of nothing", () => {
  expect(() => median([])).toThrow(RangeError);
});

it("gives the spread as a share of the median", () => {
  expect(spread([90, 100, 110])).toBeCloseTo(0.2);
  expect(spread([7])).toBe(0);
  expect(spread([0, 0])).toBe(0);
});
