// Observations for tests, short to write, and a log whose clock counts.
import { EventLog } from "@tcpkit/core";
import type { Direction, Observation } from "@tcpkit/core";

/** A log whose records are a microsecond apart. */
export function testLog(): EventLog {
  let now = 0n;
  return new EventLog(() => (now += 1000n));
}

export function opening(conn: number): Observation {
  const address = { kind: "tcp", host: "127.0.0.1", port: 1000 + conn } as const;
  return { kind: "connection", conn, service: "test", local: address, remote: address };
}

export function chunk(conn: number, dir: Direction, start: number, text: string): Observation {
  const bytes = Buffer.from(text, "latin1");
  return { kind: "data", conn, dir, span: { start, end: start + bytes.length }, bytes };
}

export function message(
  conn: number,
  dir: Direction,
  span: readonly [number, number],
  secret?: readonly [number, number],
): Observation {
  return {
    kind: "message",
    conn,
    dir,
    span: { start: span[0], end: span[1] },
    type: "test",
    text: "a message",
    ...(secret === undefined ? {} : { secrets: [{ start: secret[0], end: secret[1] }] }),
  };
}
