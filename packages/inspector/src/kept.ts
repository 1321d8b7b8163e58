// A record as the inspector keeps it: a copy of its own, with a bound on every part. It knows no ring and no page.
import type { EventRecord, Span } from "@tcpkit/core";
import type { Arena } from "./arena.ts";
import type { Limits } from "./limits.ts";

type DataRecord = Extract<EventRecord, { kind: "data" }>;

/**
 * A chunk as it is kept. Its `bytes` are the first bytes of the chunk, perhaps not all of them: the full length is
 * `span.end - span.start`.
 */
export interface KeptData extends Omit<DataRecord, "bytes"> {
  readonly bytes: Uint8Array;
  /** What has been blanked because it is secret, as absolute offsets. */
  hidden?: readonly Span[];
}

/** A record as it is kept: as in the event log, but for `data`. */
export type KeptRecord = Exclude<EventRecord, { kind: "data" }> | KeptData;

/** Copies what is worth keeping of a record. Without `secrets`, a message does not tell where its secrets are. */
export function keep(record: EventRecord, limits: Limits, arena: Arena, secrets: boolean): KeptRecord {
  if (record.kind === "data") {
    const { bytes, ...rest } = record;
    // A copy of its own: a slice would keep the whole read buffer alive.
    return { ...rest, bytes: arena.copy(bytes.subarray(0, limits.chunkBytes)) };
  }
  if (record.kind !== "message") return record;
  const { secrets: spans, tokens, ...rest } = record;
  return {
    ...rest,
    text: rest.text.slice(0, limits.textLength),
    ...(tokens === undefined ? {} : { tokens: tokens.slice(0, limits.tokens) }),
    ...(spans === undefined || !secrets ? {} : { secrets: spans }),
  };
}

/** What a record costs in memory, roughly, in bytes. */
export function costOf(record: KeptRecord): number {
  switch (record.kind) {
    case "data":
      return 256 + record.bytes.length;
    case "message":
      return 256 + 2 * record.text.length + 64 * (record.tokens?.length ?? 0);
    default:
      return 256;
  }
}

/** A record as JSON, with its bytes as base64. */
export function toJson(record: KeptRecord): string {
  if (record.kind !== "data") return JSON.stringify(record);
  const { buffer, byteOffset, length } = record.bytes;
  return JSON.stringify({
    ...record,
    bytes: Buffer.from(buffer, byteOffset, length).toString("base64"),
  });
}
