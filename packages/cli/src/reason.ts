// Why the system refused, in few words.

/** The system's code (`ENOENT`, `EACCES`) where there is one: short, and found by any search. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
