// Proof that a decoder does not care how TCP cuts its bytes. It knows sessions, not any one protocol.
import assert from "node:assert/strict";
import type { Session } from "../protocol.ts";

export interface VerifyDecoderOptions<Event, Reply> {
  /** A fresh session for each way of cutting. */
  readonly session: () => Session<Event, Reply>;
  /** The bytes, whole. */
  readonly input: Uint8Array | string;
  /** Tell the session that the peer ended after the input. Default: true. */
  readonly end?: boolean;
  /** Answers an event, as a handler would, so that the session can go on. Default: no reply. */
  readonly reply?: (event: Event, session: Session<Event, Reply>) => Reply | undefined;
  /**
   * Joins or strips what may honestly differ between cuts. Default: `joinData`, which joins neighbouring events of
   * type `"data"`, since a body arrives in whatever pieces TCP delivers.
   */
  readonly normalise?: (events: readonly Event[]) => unknown;
  /** Also feed bytes behind the input, and expect the same events first. Needs `end: false`. Default: none. */
  readonly trailing?: Uint8Array | string;
  /** Inputs longer than this, in bytes, are split at sampled points only. Default: 2048. */
  readonly everySplitUpTo?: number;
}

/**
 * Feeds the same bytes whole, byte by byte, at every split point in two, and with trailing bytes, and asserts that
 * the events and the bytes sent in reply are identical each time. Returns the events (normalised).
 * @throws AssertionError naming the cut that made a difference.
 */
export function verifyDecoder<Event, Reply>(options: VerifyDecoderOptions<Event, Reply>): unknown {
  const input = toBytes(options.input);
  const whole = run(options, [input]);
  const check = (pieces: Uint8Array[], name: string): void => {
    const cut = run(options, pieces);
    assert.deepEqual(cut.events, whole.events, `events differ when fed ${name}`);
    assert.equal(cut.sent, whole.sent, `replies differ when fed ${name}`);
  };
  check(
    Array.from(input, (_, index) => input.subarray(index, index + 1)),
    "byte by byte",
  );
  const step = Math.max(1, Math.ceil(input.length / (options.everySplitUpTo ?? 2048)));
  for (let at = 1; at < input.length; at += step) {
    check([input.subarray(0, at), input.subarray(at)], `in two, cut at ${at}`);
  }
  if (options.trailing !== undefined) {
    const trailing = toBytes(options.trailing);
    const more = run(options, [Buffer.concat([input, trailing])]);
    assert.ok(
      Array.isArray(whole.events) && Array.isArray(more.events),
      "trailing bytes need a list of events",
    );
    assert.deepEqual(
      more.events.slice(0, whole.events.length),
      whole.events,
      "events differ with trailing bytes",
    );
    assert.ok(more.sent.startsWith(whole.sent), "replies differ with trailing bytes");
  }
  return whole.events;
}

interface Result {
  readonly events: unknown;
  readonly sent: string;
}

function run<Event, Reply>(options: VerifyDecoderOptions<Event, Reply>, pieces: Uint8Array[]): Result {
  const session = options.session();
  const events: Event[] = [];
  let sent = "";
  const pull = (): void => {
    while (!session.finished) {
      const event = session.next();
      if (event === undefined) return;
      events.push(event);
      const reply = options.reply?.(event, session);
      if (reply !== undefined) sent += outputText(session.send(reply));
    }
  };
  pull();
  for (const piece of pieces) {
    // A copy of its own, as from a socket: a decoder that peeks behind its chunk is caught.
    session.receive(Buffer.from(piece));
    pull();
  }
  if (options.end ?? options.trailing === undefined) {
    session.end();
    pull();
  }
  return { events: (options.normalise ?? joinData)(events), sent };
}

/** What a session sent, as one latin1 string: handy in assertions. */
export function outputText(output: string | Uint8Array | readonly (string | Uint8Array)[]): string {
  if (typeof output === "string") return output;
  if (output instanceof Uint8Array) return Buffer.from(output).toString("latin1");
  return output.map((part) => outputText(part)).join("");
}

/**
 * Joins neighbouring events of type `"data"` (fields `bytes`, `start`, `end`) into one, with its bytes copied, and
 * leaves all others as they are.
 */
export function joinData(events: readonly unknown[]): unknown[] {
  const joined: unknown[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (isData(event) && isData(last)) {
      joined[joined.length - 1] = {
        ...last,
        bytes: Buffer.concat([last.bytes, event.bytes]),
        end: event.end,
      };
    } else if (isData(event)) {
      joined.push({ ...event, bytes: Buffer.from(event.bytes) });
    } else {
      joined.push(event);
    }
  }
  return joined;
}

interface DataEvent {
  readonly type: "data";
  readonly bytes: Uint8Array;
  readonly end: number;
}

function isData(event: unknown): event is DataEvent {
  return (
    typeof event === "object" &&
    event !== null &&
    "type" in event &&
    event.type === "data" &&
    "bytes" in event &&
    event.bytes instanceof Uint8Array
  );
}

function toBytes(input: Uint8Array | string): Uint8Array {
  return typeof input === "string" ? Buffer.from(input, "latin1") : input;
}
