// Whether something has to be awaited.

/** True for a promise, of whatever make: a function that is no TypeScript may return anything. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
