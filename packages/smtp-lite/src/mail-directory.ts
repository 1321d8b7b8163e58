// Messages as files, safe on disk before anybody is told so. It knows files; it knows no wire.
//
// Whoever looks into the folder sees whole messages: the content goes into a temporary file, which then gets its name, all
// at once, by rename. Small messages go to a thread in rounds, and are safe by the journal that it keeps: one write and one
// fdatasync for all that come together. A large one is streamed from here, and not written twice: fdatasync of its file,
// rename, and one fsync of the folder for all that come together.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ByteStream } from "@tcpkit/core";
import { formatPath } from "./address.ts";
import { thisOrigin } from "./boot.ts";
import type { Envelope } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import { fitsJournal } from "./journal-format.ts";
import { recoverJournals } from "./journal-recovery.ts";
import { replies } from "./replies.ts";
import { disk, FORBIDDEN, isNoSpace, openFolder, removeFile, STALE, unlessGone } from "./store-disk.ts";
import type { Folder } from "./store-disk.ts";
import { FINAL, MessageFile, TEMPORARY } from "./store-file.ts";
import { Rounds } from "./store-rounds.ts";
import type { Outcome } from "./store-rounds.ts";
import { StoreThread } from "./store-thread.ts";
import type { HeldMessage } from "./store-thread.ts";

/** Up to here, in bytes, a message waits in memory and is written at once; more is written as it comes. */
const SMALL = 32 * 1024;
/** So many pieces of it are joined into one. */
const MANY = 64;

/** A folder in which each message is a file `<id>.eml`. Make it with `openMailDirectory`, once. */
export class MailDirectory implements AsyncDisposable {
  /** The folder, as an absolute path. */
  readonly path: string;
  readonly #folder: Folder;
  readonly #thread: StoreThread | undefined;
  readonly #small: Rounds<HeldMessage> | undefined;
  readonly #large = new Rounds<MessageFile>((messages) => this.#commit(messages));
  #closed: Promise<void> | undefined;

  /** @internal Without a thread every message is written as a large one. */
  constructor(folder: Folder, thread: StoreThread | undefined) {
    this.path = folder.path;
    this.#folder = folder;
    this.#thread = thread;
    this.#small = thread && new Rounds((messages) => thread.keep(messages));
  }

  /**
   * Writes a message: `Return-Path:` (RFC 5321 section 4.4: this is the delivery), `Received:`, then the content as it
   * came. Resolves with the file's path once the message is there under its name, and on disk: by its own file, or by the
   * folder's journal. `id` is used once: a file of its name is replaced. Any failure takes away what there is of it. Memory
   * holds up to 32 KiB of each message that is being written.
   * @throws SmtpError `no-space` (452 4.3.1) when the disk or the quota is full.
   * @throws what `body` throws when the message does not become whole, and errors of the file system.
   * @throws Error when the path leads to another folder than the one that was opened, when the folder is closed, or when its
   * thread has ended: what that was about may be there, or half of it under its temporary name.
   */
  async write(
    envelope: Pick<Envelope, "id" | "from" | "received">,
    body: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const { id, from, received } = envelope;
    const trace = Buffer.from(`Return-Path: ${formatPath(from)}\r\n${received}`);
    let held = [trace];
    let size = trace.length;
    let file: MessageFile | undefined;
    const take = (bytes: Uint8Array): void | Promise<void> => {
      size += bytes.length;
      if (size > trace.length + SMALL) {
        const pieces = [...held, bytes];
        held = [];
        return (file ??= new MessageFile(this.#folder, id)).write(pieces);
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
      if (file === undefined && fitsJournal(id, size) && this.#small !== undefined) {
        this.#check();
        await this.#small.join({ id, pieces: held, size });
      } else {
        file ??= new MessageFile(this.#folder, id);
        if (held.length > 0) await file.write(held);
        this.#check();
        await this.#large.join(file);
      }
      return join(this.path, id + FINAL);
    } catch (cause) {
      await file?.remove();
      throw isNoSpace(cause) ? noSpace(this.path, cause) : cause;
    }
  }

  #check(): void {
    if (this.#closed !== undefined) throw new Error(`${this.path} is closed: await each write() before`);
    this.#thread?.check();
  }

  /** Makes large messages last, each on its own, and then all their names. */
  async #commit(messages: readonly MessageFile[]): Promise<Outcome[]> {
    const outcomes = await Promise.all(
      messages.map(async (message): Promise<Outcome> => {
        try {
          await message.sync();
          await message.finish();
          return undefined;
        } catch (error) {
          return error as Error;
        }
      }),
    );
    if (outcomes.includes(undefined)) await disk.fsync(this.#folder.file);
    return outcomes;
  }

  /**
   * Closes the folder. Call it once every `write` has settled: those after it reject. Then all files are on disk, and there are
   * messages only; with much to write, which may be what other programs wrote, that takes its time.
   * @throws errors of the file system, now or at any time before, by which it cannot be told that all files are on disk: the
   * journal stays then, for who opens the folder next, in another process.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#large.idle();
    await this.#small?.idle();
    try {
      await this.#thread?.close();
    } finally {
      await disk.close(this.#folder.file);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a folder, which exists, for messages: `onMessage: (envelope, body) => mail.write(envelope, body)`. What a crash
 * has left in it is put in order: messages that a power failure has taken are written anew from the journal, and temporary
 * files that nobody has written to for 36 hours are removed. Several processes of one machine can share a folder.
 * It has a thread of its own, which keeps no process alive while nothing is being written.
 * @throws errors of the file system: `ENOENT`, `EACCES`, …; Error when the thread cannot start.
 */
export async function openMailDirectory(path: string): Promise<MailDirectory> {
  const folder = await openFolder(path);
  try {
    await removeStale(folder.path);
    const origin = await thisOrigin();
    await recoverJournals(folder, origin);
    // Without an origin, who opens the folder next cannot tell a journal in use from one that is left.
    const thread = origin && (await StoreThread.start(folder, origin));
    return new MailDirectory(folder, thread);
  } catch (error) {
    await disk.close(folder.file);
    throw error;
  }
}

async function removeStale(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(TEMPORARY)) continue;
    const file = join(directory, entry.name);
    // Another process may have finished it, or removed it; what is another user's, that one removes.
    const found = await unlessGone(disk.stat(file), ...FORBIDDEN);
    if (found !== undefined && Date.now() - found.mtimeMs > STALE) await removeFile(file, ...FORBIDDEN);
  }
}

function noSpace(directory: string, cause: unknown): SmtpError {
  const options = { blame: "local", reply: replies.noSpace, cause } as const;
  return new SmtpError(
    "no-space",
    `no space left in ${directory}: free some, mail waits at its senders`,
    options,
  );
}
