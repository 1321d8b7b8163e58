import { expect, it } from "vitest";
import { markdownTable, number, plainTable } from "../src/table.ts";

const TABLE = [
  ["", "a/s", "µs"],
  ["ours", "1,000", "5"],
  ["a longer name", "9", "12.5"],
];

it("lines columns up for a terminal", () => {
  expect(plainTable(TABLE).split("\n")).toEqual([
    "                 a/s    µs",
    "ours           1,000     5",
    "a longer name      9  12.5",
  ]);
});

it("makes a Markdown table that a formatter leaves alone", () => {
  expect(markdownTable(TABLE).split("\n")).toEqual([
    "|               |   a/s |   µs |",
    "| ------------- | ----: | ---: |",
    "| ours          | 1,000 |    5 |",
    "| a longer name |     9 | 12.5 |",
  ]);
});

it("shows three digits that count", () => {
  expect([123_456, 12.345, 0.71234, 1].map(number)).toEqual(["123,000", "12.3", "0.712", "1"]);
});
