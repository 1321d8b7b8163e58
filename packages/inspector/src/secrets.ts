// Blanks secrets in recorded bytes. A message says where its secrets stand; the bytes that carried them were recorded
// before it when they came in, and will be recorded after it when they go out. Both are seen to here.
import type { Direction, Span } from "@tcpkit/core";
import type { KeptData, KeptRecord } from "./kept.ts";

/** What stands in place of a secret byte. */
const BLANK = 0x2a; // *

/** Secrets announced on one connection whose bytes are still to come, in each direction. */
interface Awaited {
  in: Span[];
  out: Span[];
}

/** Remembers the secrets whose bytes are still to come, and blanks those that have come. */
export class SecretBlanker {
  readonly #awaited = new Map<number, Awaited>();

  /** Looks at the next record before it is kept. `earlier` gives the records kept so far, newest first. */
  see(record: KeptRecord, earlier: Iterable<KeptRecord>): void {
    if (record.kind === "data") this.#blankAwaited(record);
    else if (record.kind === "close") this.#awaited.delete(record.conn);
    else if (record.kind === "message" && record.secrets !== undefined) {
      const reached = blankEarlier(record.conn, record.dir, record.secrets, earlier);
      const rest = record.secrets.filter((secret) => secret.end > reached);
      if (rest.length > 0) this.#await(record.conn, record.dir, rest);
    }
  }

  #await(conn: number, dir: Direction, secrets: readonly Span[]): void {
    let awaited = this.#awaited.get(conn);
    if (awaited === undefined) {
      awaited = { in: [], out: [] };
      this.#awaited.set(conn, awaited);
    }
    awaited[dir].push(...secrets);
  }

  #blankAwaited(data: KeptData): void {
    const awaited = this.#awaited.get(data.conn);
    if (awaited === undefined) return;
    for (const secret of awaited[data.dir]) blank(data, secret);
    awaited[data.dir] = awaited[data.dir].filter((secret) => secret.end > data.span.end);
  }
}

/** Blanks what has been recorded already. Returns the offset that the recorded bytes of this direction reach. */
function blankEarlier(
  conn: number,
  dir: Direction,
  secrets: readonly Span[],
  earlier: Iterable<KeptRecord>,
): number {
  const start = Math.min(...secrets.map((secret) => secret.start));
  let reached = 0;
  for (const record of earlier) {
    if (!("conn" in record) || record.conn !== conn) continue;
    if (record.kind === "connection" || record.kind === "connect") break;
    if (record.kind !== "data" || record.dir !== dir) continue;
    reached = Math.max(reached, record.span.end);
    if (record.span.end <= start) break;
    for (const secret of secrets) blank(record, secret);
  }
  return reached;
}

/** Blanks a secret in a chunk, as far as it stands there. */
function blank(data: KeptData, secret: Span): void {
  const start = Math.max(secret.start, data.span.start);
  const end = Math.min(secret.end, data.span.end);
  if (start >= end) return;
  data.bytes.fill(BLANK, start - data.span.start, end - data.span.start);
  data.hidden = [...(data.hidden ?? []), { start, end }];
}
