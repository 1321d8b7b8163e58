// An assertion about what happens to a connection, and in which order.
import assert from "node:assert/strict";
import type { Connection } from "../connection.ts";
import type { ConnectionEvents } from "../events.ts";

/** An event's name, or its name with a test of its payload: `{ close: ({ kind }) => kind === "ended" }`. */
export type ExpectedEvent =
  | keyof ConnectionEvents
  | {
      readonly [Name in keyof ConnectionEvents]?: (...payload: ConnectionEvents[Name]) => boolean;
    };

export interface ExpectEventsOptions {
  /** Gives up when it aborts; test runners give a test one that aborts at its timeout. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

const NAMES = [
  "connect",
  "data",
  "end",
  "drain",
  "error",
  "close",
  "timeout",
] as const satisfies readonly (keyof ConnectionEvents)[];

/**
 * Asserts that these events come in this order, from now on; others may come between them. Call it before they can
 * come, and await it. Resolves to the names of all events that came up to the last that was expected.
 * @throws AssertionError when the connection closes first (or the signal aborts), naming the events that did come.
 */
export function expectEvents(
  connection: Connection,
  expected: readonly ExpectedEvent[],
  { signal }: ExpectEventsOptions = {},
): Promise<string[]> {
  const came: string[] = [];
  const shown: string[] = [];
  let matched = 0;
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const fail = (why: string): void => {
    const message = `${why}, while awaiting ${wanted(expected[matched])}, event ${matched + 1} of ${expected.length} that were expected. Events so far: ${shown.join(", ") || "none"}`;
    stop();
    reject(new assert.AssertionError({ message, actual: came, expected: expected.map(wanted) }));
  };
  const listeners = NAMES.map((name) => {
    const listener = (...payload: unknown[]): void => {
      if (matched === expected.length) return;
      came.push(name);
      shown.push(describe(name, payload));
      try {
        if (matches(expected[matched], name, payload)) matched += 1;
      } catch (error) {
        // The test of a payload may itself be an assertion.
        stop();
        reject(error);
        return;
      }
      if (matched === expected.length) {
        stop();
        resolve(came);
      } else if (name === "close") fail("the connection closed");
    };
    connection.on(name, listener);
    return { name, listener };
  });
  const aborted = (): void => fail("gave up");
  const stop = (): void => {
    for (const { name, listener } of listeners) connection.off(name, listener);
    signal?.removeEventListener("abort", aborted);
  };
  signal?.addEventListener("abort", aborted);
  if (expected.length === 0) {
    stop();
    resolve(came);
  } else if (connection.closed) fail("the connection had closed before");
  else if (signal?.aborted === true) aborted();
  return promise;
}

function matches(expected: ExpectedEvent | undefined, name: string, payload: unknown[]): boolean {
  if (typeof expected !== "object") return expected === name;
  // The event's payload belongs to its name; TypeScript does not follow that through a loop over names.
  const test = (expected as Record<string, ((...payload: unknown[]) => boolean) | undefined>)[name];
  return test?.(...payload) ?? false;
}

function wanted(expected: ExpectedEvent | undefined): string {
  if (typeof expected !== "object") return expected ?? "nothing";
  return `${Object.keys(expected).join(" or ")} (with a test)`;
}

/** `data "hello"`, `close ended`, `error reset`. */
function describe(name: string, [payload]: unknown[]): string {
  if (Buffer.isBuffer(payload)) {
    const text = JSON.stringify(payload.toString("latin1", 0, 40));
    return `${name} ${text}${payload.length > 40 ? `… (${payload.length} bytes)` : ""}`;
  }
  if (typeof payload !== "object" || payload === null) return name;
  if ("kind" in payload) return `${name} ${String(payload.kind)}`;
  return "code" in payload ? `${name} ${String(payload.code)}` : name;
}
