// What a tap that counts must remember of each open connection. It knows observations, not who is told.
import type { Clock } from "../clock.ts";
import type { Observation } from "./record.ts";

/** A connection's opening: accepted here (`connection`), or established from here (`connect`). */
export type Opening = Extract<Observation, { kind: "connection" | "connect" }>;
type Data = Extract<Observation, { kind: "data" }>;

/** One connection, from its opening or its first byte: a client may write before it is connected. */
interface Entry {
  opening: Opening | undefined;
  /** In milliseconds. */
  opened: number;
  bytesIn: number;
  bytesOut: number;
}

/** One connection that was open and has closed. */
export interface ClosedConnection {
  readonly opening: Opening;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** From its opening, in milliseconds. */
  readonly duration: number;
}

/** The open connections that a tap has seen, by number. */
export class OpenConnections {
  readonly #clock: Clock;
  readonly #entries = new Map<number, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A connection has opened. Returns how many bytes had been written to it before. */
  open(opening: Opening): number {
    const entry = this.#entry(opening.conn);
    entry.opening = opening;
    entry.opened = this.#clock.now();
    return entry.bytesOut;
  }

  /** Bytes came in, or were written. */
  data({ conn, dir, span }: Data): void {
    const entry = this.#entry(conn);
    if (dir === "in") entry.bytesIn = span.end;
    else entry.bytesOut = span.end;
  }

  /** Forgets a connection; `undefined` when it never was open. */
  close(conn: number): ClosedConnection | undefined {
    const entry = this.#entries.get(conn);
    this.#entries.delete(conn);
    if (entry?.opening === undefined) return undefined;
    const { opening, bytesIn, bytesOut, opened } = entry;
    return { opening, bytesIn, bytesOut, duration: this.#clock.now() - opened };
  }

  #entry(conn: number): Entry {
    let entry = this.#entries.get(conn);
    if (entry === undefined) {
      entry = { opening: undefined, opened: 0, bytesIn: 0, bytesOut: 0 };
      this.#entries.set(conn, entry);
    }
    return entry;
  }
}
