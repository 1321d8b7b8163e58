// The Date field is made once a second, and is never of another one.
import { afterEach, expect, it, vi } from "vitest";
import { dateField } from "../src/date.ts";

afterEach(() => vi.useRealTimers());

it("the date is made once a second", () => {
  vi.useFakeTimers({ now: new Date("1994-11-15T08:12:31.400Z") });
  const field = dateField();
  expect(field).toBe("Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n");
  vi.advanceTimersByTime(599);
  expect(dateField()).toBe(field);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(dateField()).toBe("Date: Tue, 15 Nov 1994 08:12:32 GMT\r\n");
});
