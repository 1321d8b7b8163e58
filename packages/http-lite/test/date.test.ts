// The Date field is made once a second, and is never of another one; dates that are received have three forms.
import { afterEach, describe, expect, it, vi } from "vitest";
import { dateField, formatDate, notAfterNow, parseDate } from "../src/date.ts";

afterEach(() => {
  // No field of one test is left for the next.
  if (vi.isFakeTimers()) vi.runOnlyPendingTimers();
  vi.useRealTimers();
});

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

it("what the Date field says is never before a time that is not after now", () => {
  vi.useFakeTimers({ now: new Date("1994-11-15T08:12:31.400Z") });
  const field = dateField();
  // The clock goes on, and the timer that renews the field is late.
  vi.setSystemTime(new Date("1994-11-15T08:12:33Z"));
  for (const time of ["1994-11-15T08:12:31.900Z", "1994-11-15T08:12:32Z", "2094-01-01T00:00:00Z"]) {
    expect(`Date: ${formatDate(notAfterNow(new Date(time)))}\r\n`).toBe(field);
  }
  const past = new Date("1994-11-15T08:12:30.999Z");
  expect(notAfterNow(past)).toEqual(past);
});

describe("a date in a field (RFC 9110 §5.6.7)", () => {
  const now = new Date("2026-11-23T12:00:00Z");

  it.each([
    ["Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
    ["Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
    ["Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37.000Z"],
    ["Tue Nov 15 08:12:31 1994", "1994-11-15T08:12:31.000Z"],
    ["Wednesday, 23-Sep-26 00:00:00 GMT", "2026-09-23T00:00:00.000Z"],
    ["Saturday, 29-Feb-20 00:00:00 GMT", "2020-02-29T00:00:00.000Z"],
    // Fifty years ahead, to the second; one second more was a hundred years before.
    ["Monday, 23-Nov-76 12:00:00 GMT", "2076-11-23T12:00:00.000Z"],
    ["Tuesday, 23-Nov-76 12:00:01 GMT", "1976-11-23T12:00:01.000Z"],
    ["Saturday, 01-Jan-77 00:00:00 GMT", "1977-01-01T00:00:00.000Z"],
  ])("%s", (text, expected) => {
    vi.useFakeTimers({ now });
    expect(parseDate(text)?.toISOString()).toBe(expected);
  });

  it("two digits of a year may be those of the next century", () => {
    vi.useFakeTimers({ now: new Date("2099-06-01T00:00:00Z") });
    expect(parseDate("Thursday, 01-Jan-05 00:00:00 GMT")?.toISOString()).toBe("2105-01-01T00:00:00.000Z");
  });

  it.each([
    "Mon, 06 Nov 1994 08:49:37 GMT",
    "Monday, 06-Nov-94 08:49:37 GMT",
    "Mon Nov  6 08:49:37 1994",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunsday, 06-Nov-94 08:49:37 GMT",
    "Sunday, 6-Nov-94 08:49:37 GMT",
    "sunday, 06-nov-94 08:49:37 gmt",
    "Sunday, 06-Nov-94 08:49:37 UTC",
    "Sunday, 06-Nov-94 08:49:37",
    "Sunday, 06-Nov-94 24:00:00 GMT",
    "Sunday, 31-Feb-94 08:49:37 GMT",
    "Sunday, 00-Nov-94 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun Nov 31 08:49:37 1994",
    "Sun Foo  6 08:49:37 1994",
    "Sun Nov  6 08:49:60 1994",
    "1994-11-06T08:49:37Z",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "0",
    "",
  ])("%j is none", (text) => {
    vi.useFakeTimers({ now });
    expect(parseDate(text)).toBeUndefined();
  });
});
