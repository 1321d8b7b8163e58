// The file of one message while it is being made: temporary, whole, named. When to make it last is for others to say.
import { disk, removeFile, writeAll } from "./store-disk.ts";

/** What a whole message ends in. */
export const FINAL = ".eml";
/** What a message that is being made ends in. */
export const TEMPORARY = ".eml.tmp";

export class MessageFile {
  /** Its path once it is whole. */
  readonly final: string;
  readonly #temporary: string;
  #file: number | undefined;
  /** The name that it has now, if it has been created. */
  #name: string | undefined;

  /** `path` is without extension; the temporary name may be another one. */
  constructor(path: string, temporary: string = path) {
    this.final = path + FINAL;
    this.#temporary = temporary + TEMPORARY;
  }

  /** Writes on; the file is created with the first call. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#file === undefined) {
      // `wx`: an id is never used twice, and a file that is there already is not ours.
      this.#file = await disk.open(this.#temporary, "wx", 0o600);
      this.#name = this.#temporary;
    }
    await writeAll(this.#file, pieces);
  }

  /** Its content is on disk. */
  async sync(): Promise<void> {
    if (this.#file === undefined) throw new Error("a message without a file: a bug in the store");
    await disk.fdatasync(this.#file);
  }

  /** It is whole: it gets its name, all at once. */
  async finish(): Promise<void> {
    await this.#close();
    await disk.rename(this.#temporary, this.final);
    this.#name = this.final;
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
