// Messages as files, safe on disk before anybody is told so. It knows files; it knows no wire.
//
// The order makes the promise: the content goes into a temporary file, fdatasync; then it gets its name, all at once,
// by rename; then fsync of the folder, for the name itself. Whoever looks into the folder sees whole messages only.
// Messages that come together are committed together: their fdatasyncs run at the same time, which lets the file
// system make one of them, and they share one fsync of the folder.
import { close, fdatasync, fsync, open, rename, write } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ByteStream } from "@tcpkit/core";
import { formatPath } from "./address.ts";
import type { Envelope } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import { replies } from "./replies.ts";
import { Rounds } from "./store-rounds.ts";

// Plain descriptors: with a `FileHandle` a message takes about a tenth more CPU.
const files = {
  open: promisify(open),
  write: promisify(write),
  fdatasync: promisify(fdatasync),
  fsync: promisify(fsync),
  close: promisify(close),
  rename: promisify(rename),
};

const FINAL = ".eml";
const TEMPORARY = ".eml.tmp";

/** Up to here, in bytes, a message waits in memory and is written at once; more is written as it comes. */
const SMALL = 32 * 1024;
/** So many pieces of it are joined into one. */
const MANY = 64;

/**
 * Temporary files that nobody has written to for 36 hours are left from a crash: the rule that Maildir has. It needs no
 * lock, so that several processes can share a folder.
 */
const STALE = 36 * 60 * 60 * 1000;

/** A folder in which each message is a file `<id>.eml`. Make it with `openMailDirectory`, once. */
export class MailDirectory implements AsyncDisposable {
  /** The folder, as it was given. */
  readonly path: string;
  readonly #folder: number;
  readonly #commits = new Rounds<OpenMessage>((messages) => this.#commit(messages));

  /** @internal */
  constructor(path: string, folder: number) {
    this.path = path;
    this.#folder = folder;
  }

  /**
   * Writes a message: `Return-Path:` (RFC 5321 section 4.4: this is the delivery), `Received:`, then the content as it
   * came. Resolves with the file's path once file and name are on disk; until then there is at most an
   * `<id>.eml.tmp`, which any failure takes away. Memory holds up to 32 KiB of each message that is being written.
   * @throws SmtpError `no-space` (452 4.3.1) when the disk or the quota is full.
   * @throws what `body` throws when the message does not become whole, and errors of the file system.
   */
  async write(
    envelope: Pick<Envelope, "id" | "from" | "received">,
    body: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const message = new OpenMessage(join(this.path, envelope.id));
    let held = [Buffer.from(`Return-Path: ${formatPath(envelope.from)}\r\n${envelope.received}`)];
    let size = 0;
    const take = (bytes: Uint8Array): void | Promise<void> => {
      size += bytes.length;
      if (size > SMALL) {
        const pieces = [...held, bytes];
        held = [];
        return message.write(pieces);
      }
      // A copy: the bytes may be part of a larger buffer, which is not to be held, or be used again.
      held.push(Buffer.from(bytes));
      // Content that drips in makes pieces that are smaller than what the list spends on each.
      if (held.length > MANY) held = [Buffer.concat(held)];
      return undefined;
    };
    try {
      if (body instanceof ByteStream) await body.consume(take);
      else for await (const bytes of body) await take(bytes);
      if (held.length > 0) await message.write(held);
      await this.#commits.join(message);
      return message.final;
    } catch (cause) {
      await message.remove();
      throw isNoSpace(cause) ? noSpace(this.path, cause) : cause;
    }
  }

  /** Makes messages last, each on its own, and then all their names. */
  #commit(messages: readonly OpenMessage[]): Promise<void>[] {
    const finished = messages.map((message) => message.finish());
    const named = Promise.allSettled(finished).then((all) =>
      all.some(({ status }) => status === "fulfilled") ? files.fsync(this.#folder) : undefined,
    );
    return finished.map((one) => one.then(() => named));
  }

  /** Closes the folder. Call it once every `write` has settled: those after it reject. */
  close(): Promise<void> {
    return files.close(this.#folder);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The file of one message while it is being made. */
class OpenMessage {
  readonly final: string;
  readonly #temporary: string;
  #file: number | undefined;
  /** The name that it has now, if it has been created. */
  #name: string | undefined;

  /** `path` is without extension. */
  constructor(path: string) {
    this.final = path + FINAL;
    this.#temporary = path + TEMPORARY;
  }

  async write(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#file === undefined) {
      // `wx`: an id is never used twice, and a file that is there already is not ours.
      this.#file = await files.open(this.#temporary, "wx", 0o600);
      this.#name = this.#temporary;
    }
    const bytes = Buffer.concat(pieces);
    // On a disk that is nearly full, a part is written, and only the next call fails.
    for (let at = 0; at < bytes.length;) at += (await files.write(this.#file, bytes, at)).bytesWritten;
  }

  async finish(): Promise<void> {
    if (this.#file === undefined) throw new Error("a message without a file: a bug in the store");
    await files.fdatasync(this.#file);
    await this.#close();
    await files.rename(this.#temporary, this.final);
    this.#name = this.final;
  }

  /** Takes away what there is: without the folder's fsync the client hears of a failure and sends again. */
  async remove(): Promise<void> {
    await this.#close();
    if (this.#name !== undefined) await rm(this.#name, { force: true });
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) await files.close(file);
  }
}

/**
 * Opens a folder, which exists, for messages: `onMessage: (envelope, body) => mail.write(envelope, body)`. What a crash
 * has left in it, temporary files that nobody has written to for 36 hours, is removed.
 * @throws errors of the file system: `ENOENT`, `EACCES`, …
 */
export async function openMailDirectory(path: string): Promise<MailDirectory> {
  await removeStale(path);
  return new MailDirectory(path, await files.open(path, "r"));
}

async function removeStale(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.endsWith(TEMPORARY)) continue;
    const file = join(directory, name);
    try {
      if (Date.now() - (await stat(file)).mtimeMs > STALE) await rm(file);
    } catch (error) {
      // Another process has finished it, or removed it.
      if (!hasCode(error, "ENOENT")) throw error;
    }
  }
}

function isNoSpace(error: unknown): boolean {
  return hasCode(error, "ENOSPC", "EDQUOT");
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}

function noSpace(directory: string, cause: unknown): SmtpError {
  const options = { blame: "local", reply: replies.noSpace, cause } as const;
  return new SmtpError(
    "no-space",
    `no space left in ${directory}: free some, mail waits at its senders`,
    options,
  );
}
