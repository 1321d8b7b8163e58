import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseWrk } from "../src/load/wrk.ts";

/** What wrk 4.1.0 printed. */
function recorded(name: string): string {
  return readFileSync(new URL(`fixtures/${name}.txt`, import.meta.url), "utf8");
}

it("reads how much was done in what time", () => {
  expect(parseWrk(recorded("wrk-plain"))).toEqual({ operations: 83_832, seconds: 1.01 });
});

it.each([
  ["123 requests in 500.00ms, 1KB read", 0.5],
  ["123 requests in 1.50m, 1KB read", 90],
])("knows wrk's units of time: %s", (line, seconds) => {
  expect(parseWrk(line)).toEqual({ operations: 123, seconds });
});

it("takes no figures from a server that fails", () => {
  expect(() => parseWrk(recorded("wrk-socket-errors"))).toThrow(/Socket errors: connect 0, read 16214/);
  expect(() => parseWrk(recorded("wrk-non-2xx"))).toThrow(/Non-2xx or 3xx responses: 64919/);
});

it("takes no figures from something else", () => {
  expect(() => parseWrk("unable to connect to 127.0.0.1:1 Connection refused")).toThrow(/no report/);
});
