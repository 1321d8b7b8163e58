// Figures in columns, for a terminal and for Markdown. It knows how they look, not what they mean.
import type { Figure, Row } from "./summary.ts";

/** A table: the first column is text, the others are figures. */
export type Cells = readonly (readonly string[])[];

/** The table of one scenario, headings first. `unit` is the operation, in the plural. */
export function cells(rows: readonly Row[], unit: string): Cells {
  if (rows.some(({ memory }) => memory !== undefined)) return memoryCells(rows);
  const head = ["", `${unit}/s`, "(spread)", "CPU µs each", "(spread)", "core busy", "peak MiB"];
  const ratios = ["ours × by CPU", "(spread)", "ours × by rate"];
  return [
    [...head, ...ratios],
    ...rows.map((row) => [
      row.contestant,
      ...figure(row.rate),
      ...figure(row.cpu),
      row.busy === undefined ? "" : percent(row.busy),
      row.peakMemory === undefined ? "" : number(row.peakMemory),
      ...figure(row.byCpu),
      number(row.byRate?.median),
    ]),
  ];
}

function memoryCells(rows: readonly Row[]): Cells {
  return [
    ["", "KiB each", "(spread)", "ours × by memory", "(spread)"],
    ...rows.map((row) => [row.contestant, ...figure(row.memory), ...figure(row.byMemory)]),
  ];
}

/** Columns lined up by spaces. */
export function plainTable(table: Cells): string {
  const widths = widthsOf(table, 0);
  return table.map((row) => align(row, widths).join("  ").trimEnd()).join("\n");
}

/** A Markdown table, as a formatter would leave it. */
export function markdownTable([head = [], ...body]: Cells): string {
  const widths = widthsOf([head, ...body], 3);
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [align(head, widths), rule, ...body.map((row) => align(row, widths))]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

/** A number with three digits that count: 123,000 · 12.3 · 0.71. */
export function number(value: number | undefined): string {
  if (value === undefined) return "";
  return new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format(value);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function figure(value: Figure | undefined): [string, string] {
  return value === undefined ? ["", ""] : [number(value.median), percent(value.spread)];
}

function widthsOf(table: Cells, least: number): number[] {
  const columns = table[0]?.length ?? 0;
  return Array.from({ length: columns }, (_, column) =>
    Math.max(least, ...table.map((row) => row[column]?.length ?? 0)),
  );
}

function align(row: readonly string[], widths: readonly number[]): string[] {
  return row.map((cell, column) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
  );
}
