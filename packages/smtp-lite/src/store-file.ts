// The file of one message while it is being made: temporary, whole, named. When to make it last is for others to say.
//
// It is here twice, step for step: a large message is written as it comes, by a thread that has others to serve; small ones are
// written by a thread that may wait, where promises would cost more than what they wait for.
import { closeSync, fdatasyncSync, openSync, renameSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { checkFolder, disk, removeFile, writeAll, writeAllSync } from "./store-disk.ts";
import type { Folder } from "./store-disk.ts";

/** What a whole message ends in. */
export const FINAL = ".eml";
/** What a message that is being made ends in. */
export const TEMPORARY = ".eml.tmp";

/** Of one user, and none that is there already: it would be another message's. */
const [CREATE, MODE] = ["wx", 0o600] as const;

/** A message's file, by promises. */
export class MessageFile {
  readonly #folder: Folder;
  readonly #final: string;
  readonly #temporary: string;
  #file: number | undefined;
  /** The name that it has now, if it has been created. */
  #name: string | undefined;

  /** The temporary name may be another one. */
  constructor(folder: Folder, id: string, temporary: string = id) {
    this.#folder = folder;
    this.#final = join(folder.path, id + FINAL);
    this.#temporary = join(folder.path, temporary + TEMPORARY);
  }

  /** Writes on; the file is created with the first call. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#file === undefined) {
      await checkFolder(this.#folder);
      this.#file = await disk.open(this.#temporary, CREATE, MODE);
      this.#name = this.#temporary;
    }
    await writeAll(this.#file, pieces);
  }

  /** Its content is on disk. */
  async sync(): Promise<void> {
    if (this.#file === undefined) throw new Error("a message without a file: a bug in the store");
    await disk.fdatasync(this.#file);
  }

  /** It is whole: it gets its name, all at once. A file of that name is replaced. */
  async finish(): Promise<void> {
    await this.#close();
    await disk.rename(this.#temporary, this.#final);
    this.#name = this.#final;
  }

  /** Takes away what there is. */
  async remove(): Promise<void> {
    await this.#close();
    if (this.#name !== undefined) await removeFile(this.#name);
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) await disk.close(file);
  }
}

/** The same for a message that is whole from the start; its folder has been checked, and the thread waits. */
export class MessageFileSync {
  readonly #final: string;
  readonly #temporary: string;
  #name: string | undefined;

  constructor(folder: Folder, id: string) {
    const path = join(folder.path, id);
    this.#final = path + FINAL;
    this.#temporary = path + TEMPORARY;
  }

  /** Writes all of it, and closes it: there may be many. */
  write(content: Uint8Array, how?: "to last"): void {
    const file = openSync(this.#temporary, CREATE, MODE);
    this.#name = this.#temporary;
    try {
      writeAllSync(file, [content]);
      if (how === "to last") fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  finish(): void {
    renameSync(this.#temporary, this.#final);
    this.#name = this.#final;
  }

  remove(): void {
    if (this.#name !== undefined) unlinkSync(this.#name);
  }
}
