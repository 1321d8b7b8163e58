// What is observed of a connection, where that takes more than a few words to say. It knows no tap.
import { causeOf } from "../close-reason.ts";
import type { CloseReason } from "../close-reason.ts";
import type { TlsDetails } from "../tls/options.ts";
import type { Direction, Observation } from "./record.ts";

/** Bytes of connection `conn` that begin at the absolute offset `start`. */
export function flowed(conn: number, dir: Direction, start: number, bytes: Uint8Array): Observation {
  return { kind: "data", conn, dir, span: { start, end: start + bytes.length }, bytes };
}

/** Connection `conn` is encrypted. */
export function secured(conn: number, { protocol, cipher, alpn, servername }: TlsDetails): Observation {
  return { kind: "secure", conn, protocol, cipher, alpn, servername };
}

/** Connection `conn` is closed. */
export function closedBecause(conn: number, reason: CloseReason): Observation {
  const cause = causeOf(reason)?.message;
  return { kind: "close", conn, reason: reason.kind, ...(cause === undefined ? {} : { cause }) };
}
