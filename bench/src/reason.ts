// Finds, in what a failed process left on standard error, the one line that says what went wrong.

/** The first line that names an error, or else the last one; `undefined` when nothing was said. */
export function reasonIn(standardError: string): string | undefined {
  const lines = standardError.split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => /^\w*Error\b|: error|fatal/.test(line)) ?? lines.at(-1);
}
