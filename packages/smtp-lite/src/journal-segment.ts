// One file of a journal, from its first round of records until it is removed. When it ends is for others to say.
import { closeSync, fdatasyncSync, fsyncSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Origin } from "./boot.ts";
import { formatHeader, formatRecord, JOURNAL_PREFIX } from "./journal-format.ts";
import type { JournalRecord } from "./journal-format.ts";
import { newId } from "./message-id.ts";
import { markDoubted } from "./journal-checkpoint.ts";
import { removeFile, writeAllSync } from "./store-disk.ts";
import type { Folder } from "./store-disk.ts";

export class Segment {
  readonly #folder: Folder;
  readonly #origin: Origin;
  readonly #name: string = JOURNAL_PREFIX + newId();
  readonly #ids: string[] = [];
  #file: number | undefined;
  #size = 0;

  constructor(folder: Folder, origin: Origin) {
    this.#folder = folder;
    this.#origin = origin;
  }

  /** The messages that only this file makes safe. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * Puts records on disk: when it returns, all of them. After it has thrown nothing is known of the file's end, and what
   * came behind that could not be read: it is never called again.
   */
  append(records: readonly JournalRecord[]): void {
    const isNew = this.#file === undefined;
    const file = (this.#file ??= openSync(join(this.#folder.path, this.#name), "wx", 0o600));
    const pieces = records.flatMap(formatRecord);
    if (isNew) pieces.unshift(formatHeader(this.#origin));
    writeAllSync(file, pieces);
    fdatasyncSync(file);
    if (isNew) fsyncSync(this.#folder.file);
    for (const { id } of records) this.#ids.push(id);
    for (const { length } of pieces) this.#size += length;
  }

  /** Nothing more is appended. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }

  /** Takes the file away: its messages are safe without it. */
  remove(): Promise<void> {
    return removeFile(join(this.#folder.path, this.#name));
  }

  /** Leaves the file to whoever opens the folder next. */
  doubt(): Promise<void> {
    return markDoubted(this.#folder, this.#name);
  }
}
