// The bytes of a journal: one line that tells who wrote it, then records. It knows no files.
//
//   journal = "tcpkit-mail-journal 1 " boot SP process LF *record    ; see boot.ts
//   record  = id SP length SP crc LF *OCTET LF    ; length: of the octets, decimal; crc: CRC-32, 8 small hex digits
//
// The CRC is over the id, a space, the length, LF and the octets: neither content nor name can change unnoticed.
import { crc32 } from "node:zlib";
import type { Origin } from "./boot.ts";

/** What every journal's file name begins with; hidden, so that a listing shows messages only. */
export const JOURNAL_PREFIX = ".tcpkit-journal-";
/** What the name of one begins with whose files may be wrong on disk, and look right. */
export const DOUBTED_PREFIX = ".tcpkit-journal-doubted-";

/** The most bytes of a message that a record holds: a small message and its trace. */
export const RECORD_BYTES: number = 64 * 1024;
/** Longer than any first line of a journal or a record. */
export const LINE_BYTES = 256;

const LF = 10;
const END = Buffer.from("\n");
const HEADER = /^tcpkit-mail-journal 1 ([0-9a-z-]{1,64}) ([0-9-]{1,64})$/;
const RECORD = /^([0-9a-z-]{1,64}) (0|[1-9][0-9]{0,5}) ([0-9a-f]{8})$/;
const ID = /^[0-9a-z-]{1,64}$/;

/** A message as a journal keeps it. */
export interface JournalRecord {
  readonly id: string;
  /** All of its file. */
  readonly content: Uint8Array;
}

/** Whether a message may stand in a journal: ids are those of `newId()`, which are safe in a path, and it is small. */
export function fitsJournal(id: string, length: number): boolean {
  return ID.test(id) && length <= RECORD_BYTES;
}

/** The first line. */
export function formatHeader({ boot, process }: Origin): Uint8Array {
  return Buffer.from(`tcpkit-mail-journal 1 ${boot} ${process}\n`, "latin1");
}

/** A record as pieces to write; the content is not copied. */
export function formatRecord({ id, content }: JournalRecord): Uint8Array[] {
  const start = `${id} ${content.length}`;
  const sum = crc32(content, crc32(`${start}\n`));
  return [Buffer.from(`${start} ${hex(sum)}\n`, "latin1"), content, END];
}

/** What `take…` found at the beginning of some bytes, and how many of them it is. */
export interface Taken<Value> {
  readonly value: Value;
  readonly length: number;
}

/** Who wrote a journal; `undefined` when this is the beginning of none. */
export function takeHeader(bytes: Buffer): Taken<Origin> | undefined {
  const line = takeLine(bytes);
  const [, boot, process] = HEADER.exec(line ?? "") ?? [];
  if (line === undefined || boot === undefined || process === undefined) return undefined;
  return { value: { boot, process }, length: line.length + 1 };
}

/** A record, its content a view of `bytes`; `undefined` when no whole and right one is there. */
export function takeRecord(bytes: Buffer): Taken<JournalRecord & { content: Buffer }> | undefined {
  const line = takeLine(bytes);
  const [, id, digits, sum] = RECORD.exec(line ?? "") ?? [];
  if (line === undefined || id === undefined) return undefined;
  const length = Number(digits);
  const from = line.length + 1;
  const to = from + length;
  if (length > RECORD_BYTES || bytes[to] !== LF) return undefined;
  const content = bytes.subarray(from, to);
  if (hex(crc32(content, crc32(`${id} ${length}\n`))) !== sum) return undefined;
  return { value: { id, content }, length: to + 1 };
}

function takeLine(bytes: Buffer): string | undefined {
  const end = bytes.subarray(0, LINE_BYTES).indexOf(LF);
  return end < 0 ? undefined : bytes.toString("latin1", 0, end);
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, "0");
}
