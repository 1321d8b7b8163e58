// What a journal is for: after the system has gone down, the messages that it holds are put where they belong. It knows
// nothing of how a journal is written.
//
// It may be cut short or done twice, also by two processes at once: a file that is right stays, and the journal goes last.
import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isOver } from "./boot.ts";
import type { Origin } from "./boot.ts";
import { isDoubt, makeSafe, markDoubted } from "./journal-checkpoint.ts";
import {
  DOUBTED_PREFIX,
  JOURNAL_PREFIX,
  LINE_BYTES,
  RECORD_BYTES,
  takeHeader,
  takeRecord,
} from "./journal-format.ts";
import type { JournalRecord, Taken } from "./journal-format.ts";
import { disk, FORBIDDEN, hasCode, removeFile, STALE, unlessGone } from "./store-disk.ts";
import type { Folder } from "./store-disk.ts";
import { FINAL, MessageFile, TEMPORARY } from "./store-file.ts";

/**
 * Looks at every journal in the folder. One of another boot is replayed: what is missing or not as recorded is written anew. So is
 * one of this boot once its owner is over, but what is missing without a trace was taken, and stays away. While the owner may be
 * alive it is left alone, unless nobody has written to it for 36 hours. One that cannot be read is removed after that time.
 * @throws errors of the file system; the journal stays.
 */
export async function recoverJournals(folder: Folder, origin: Origin | undefined): Promise<void> {
  for (const entry of await readdir(folder.path, { withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.startsWith(JOURNAL_PREFIX)) continue;
    const path = join(folder.path, entry.name);
    // Another process may have been faster; one of another user puts its own in order.
    const file = await unlessGone(disk.open(path, "r"), ...FORBIDDEN);
    if (file === undefined) continue;
    let isDone: boolean;
    try {
      isDone = await recover(folder, file, entry.name.startsWith(DOUBTED_PREFIX), origin);
    } catch (error) {
      if (isDoubt(error)) await markDoubted(folder, entry.name);
      throw error;
    } finally {
      await disk.close(file);
    }
    if (isDone) await removeFile(path, ...FORBIDDEN);
  }
}

/** Whether nobody needs the journal any more. `isDoubted`: a file that looks right proves nothing. */
async function recover(
  folder: Folder,
  file: number,
  isDoubted: boolean,
  origin: Origin | undefined,
): Promise<boolean> {
  const isStale = Date.now() - (await disk.fstat(file)).mtimeMs > STALE;
  const reader = new Reader(file);
  const writer = await reader.take(takeHeader);
  if (writer === undefined) return isStale;
  const isThisBoot = writer.boot === origin?.boot;
  if (isThisBoot && !isStale && !(await isOver(writer.process))) return false;
  const ids: string[] = [];
  for (let record; (record = await reader.take(takeRecord)) !== undefined;) {
    const path = join(folder.path, record.id);
    const state = await look(path + FINAL, record.content);
    const isLost =
      state === "wrong" ||
      (state === "right" && isDoubted) ||
      // In this boot its directory entry is not lost: without the temporary one, somebody took the file.
      (state === "missing" && (!isThisBoot || (await isThere(path + TEMPORARY))));
    if (isLost) await restore(folder, record);
    else ids.push(record.id);
  }
  await makeSafe(folder, ids);
  await disk.fsync(folder.file);
  return true;
}

async function restore(folder: Folder, { id, content }: JournalRecord): Promise<void> {
  // A name of its own: another process may be at the same message.
  const message = new MessageFile(folder, id, `${id}.${randomUUID()}`);
  try {
    await message.write([content]);
    await message.sync();
    await message.finish();
  } catch (error) {
    await message.remove();
    throw error;
  }
  // What its writer, who is over, has left of it.
  await removeFile(join(folder.path, id + TEMPORARY), ...FORBIDDEN);
}

/** What became of a message's file. `taken`: it is somebody else's by now. */
async function look(path: string, content: Buffer): Promise<"right" | "wrong" | "missing" | "taken"> {
  let file: number;
  try {
    file = await disk.open(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "missing";
    if (hasCode(error, ...FORBIDDEN)) return "taken";
    throw error;
  }
  try {
    const { size } = await disk.fstat(file);
    if (size !== content.length) return "wrong";
    const found = Buffer.alloc(size);
    return (await fill(file, found)) === size && found.equals(content) ? "right" : "wrong";
  } finally {
    await disk.close(file);
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await unlessGone(disk.stat(path))) !== undefined;
}

/** A file from its beginning to its end, by pieces: memory holds two of the longest records. */
class Reader {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(2 * (LINE_BYTES + RECORD_BYTES));
  /** What has been read and not taken. */
  #bytes = this.#buffer.subarray(0, 0);

  constructor(file: number) {
    this.#file = file;
  }

  /** What `take` finds where the last one ended; it stays as it is until the next call. */
  async take<Value>(take: (bytes: Buffer) => Taken<Value> | undefined): Promise<Value | undefined> {
    let taken = take(this.#bytes);
    if (taken === undefined) {
      await this.#more();
      taken = take(this.#bytes);
    }
    if (taken === undefined) return undefined;
    this.#bytes = this.#bytes.subarray(taken.length);
    return taken.value;
  }

  async #more(): Promise<void> {
    const kept = this.#bytes.copy(this.#buffer);
    const got = await fill(this.#file, this.#buffer.subarray(kept));
    this.#bytes = this.#buffer.subarray(0, kept + got);
  }
}

/** Reads on until `into` is full or the file is over; how much that was. */
async function fill(file: number, into: Buffer): Promise<number> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await disk.read(file, into, at, into.length - at, null);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}
