// Server-sent events (WHATWG HTML, section 9.2): the records as one endless text, a frame's worth at a time. It knows
// the hub and the format, and no server.
import type { Hub } from "./hub.ts";
import { toJson } from "./kept.ts";

export interface EventStreamOptions {
  /** Names this run of the program: a page that comes back to another run starts over. */
  readonly run: string;
  /** What a page must show to give commands. */
  readonly token: string;
  /** The number of the last record that the page has (its `Last-Event-ID`); 0 for a new page. */
  readonly after: number;
  /** Ends the stream. */
  readonly signal: AbortSignal;
  /** How long records are collected before they are sent, in milliseconds. */
  readonly frame: number;
  /** How long nothing may be sent, in milliseconds; then a comment is, so that the connection is known to live. */
  readonly heartbeat: number;
}

/** The records from `after` on, and then those that come, until `signal` aborts. */
export async function* eventStream(hub: Hub, options: EventStreamOptions): AsyncGenerator<string, void> {
  const { run, token, signal, frame, heartbeat } = options;
  const hello = (): string => JSON.stringify({ run: `${run}.${hub.generation}`, token });
  const reader = hub.follow(options.after);
  yield `retry: 1000\n${event("hello", hello())}`;
  while (!signal.aborted) {
    const batch = reader.take();
    if (batch === "cleared") {
      yield event("cleared", hello());
    } else if (batch.records.length > 0 || batch.dropped > 0) {
      const records = batch.records.map((record) => toJson(record)).join(",");
      yield event("records", `{"dropped":${batch.dropped},"records":[${records}]}`, reader.last);
      if (reader.caughtUp) await pause(frame, signal);
    } else {
      yield* heartbeatsUntil(reader.changed(signal), heartbeat, signal);
    }
  }
}

async function* heartbeatsUntil(
  changed: Promise<void>,
  heartbeat: number,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  let waiting = true;
  const done = changed.then(() => {
    waiting = false;
  });
  while (waiting) {
    await pause(heartbeat, signal, done);
    if (waiting) yield ": still here\n\n";
  }
}

/** Waits `milliseconds`, or less when `signal` aborts or `sooner` resolves. */
async function pause(milliseconds: number, signal: AbortSignal, sooner?: Promise<void>): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done, { once: true });
    void sooner?.then(done);
  });
}

/** One event. Its data is JSON, and so has no line break that would have to be seen to. */
function event(name: string, data: string, id?: number): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`;
}
