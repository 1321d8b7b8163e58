// What a journal is for: after the system has gone down, the messages that it holds are put where they belong. It knows
// nothing of how a journal is written.
//
// It may be cut short or done twice, also by two processes at once: a file that is right stays, and the journal goes last.
import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isOver } from "./boot.ts";
import type { Origin } from "./boot.ts";
import { makeSafe } from "./journal-checkpoint.ts";
import { JOURNAL_PREFIX, LINE_BYTES, RECORD_BYTES, takeHeader, takeRecord } from "./journal-format.ts";
import type { Taken } from "./journal-format.ts";
import { disk, removeFile, STALE, unlessGone } from "./store-disk.ts";
import type { Folder } from "./store-disk.ts";
import { FINAL, MessageFile } from "./store-file.ts";

/**
 * Looks at every journal in the folder. One of another boot is replayed. One of this boot is left alone, since its owner may be
 * alive; so is one that cannot be read; unless nobody has written to them for 36 hours. Where the owner is known to be over, the
 * files are whole with the kernel: they are made to last, and the journal goes.
 * @throws errors of the file system; the journal stays.
 */
export async function recoverJournals(folder: Folder, origin: Origin | undefined): Promise<void> {
  for (const entry of await readdir(folder.path, { withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.startsWith(JOURNAL_PREFIX)) continue;
    const path = join(folder.path, entry.name);
    // Another process may have been faster; one of another user puts its own in order.
    const file = await unlessGone(disk.open(path, "r"), "EACCES", "EPERM");
    if (file === undefined) continue;
    let isDone: boolean;
    try {
      isDone = await recover(folder, file, origin);
    } finally {
      await disk.close(file);
    }
    if (isDone) await removeFile(path);
  }
}

/** Whether nobody needs the journal any more. */
async function recover(folder: Folder, file: number, origin: Origin | undefined): Promise<boolean> {
  const reader = new Reader(file);
  const writer = await reader.take(takeHeader);
  if (writer !== undefined && writer.boot === origin?.boot && (await isOver(writer.process))) {
    const ids: string[] = [];
    for (let record; (record = await reader.take(takeRecord)) !== undefined;) ids.push(record.id);
    await makeSafe(folder, ids);
    return true;
  }
  if (writer === undefined || writer.boot === origin?.boot) {
    return Date.now() - (await disk.fstat(file)).mtimeMs > STALE;
  }
  for (let record; (record = await reader.take(takeRecord)) !== undefined;) {
    await restore(folder, record.id, record.content);
  }
  await disk.fsync(folder.file);
  return true;
}

async function restore(folder: Folder, id: string, content: Buffer): Promise<void> {
  const path = join(folder.path, id);
  if (await unlessGone(isSafe(path + FINAL, content))) return;
  // A name of its own: another process may be at the same message.
  const message = new MessageFile(path, `${path}.${randomUUID()}`);
  try {
    await message.write([content]);
    await message.sync();
    await message.finish();
  } catch (error) {
    await message.remove();
    throw error;
  }
}

/** Whether the file has exactly this content. If so, it is on disk. */
async function isSafe(path: string, content: Buffer): Promise<boolean> {
  const file = await disk.open(path, "r");
  try {
    const { size } = await disk.fstat(file);
    if (size !== content.length) return false;
    const found = Buffer.alloc(size);
    if ((await fill(file, found)) !== size || !found.equals(content)) return false;
    await disk.fdatasync(file);
    return true;
  } finally {
    await disk.close(file);
  }
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
