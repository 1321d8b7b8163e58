// Messages as files, safe on disk before anybody is told so. It knows files; it knows no wire.
//
// The order makes the promise: the content goes into a temporary file, fsync; then it gets its name, all at once, by
// rename; then fsync of the folder, for the name itself. Whoever looks into the folder sees whole messages only.
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatPath } from "./address.ts";
import type { Envelope } from "./envelope.ts";
import { SmtpError } from "./errors.ts";
import { replies } from "./reply.ts";

/**
 * Writes a message as `<id>.eml` into a folder: `Return-Path:` (RFC 5321 section 4.4: this is the delivery),
 * `Received:`, then the content as it came. Resolves with the file's path once file and name are on disk; until then
 * there is only a `<id>.tmp`, which any failure takes away.
 * @throws SmtpError `no-space` (452 4.3.1) when the disk or the quota is full.
 * @throws what `body` throws when the message does not become whole, and errors of the file system.
 */
export async function writeMessage(
  directory: string,
  envelope: Pick<Envelope, "id" | "from" | "received">,
  body: AsyncIterable<Uint8Array>,
): Promise<string> {
  const temporary = join(directory, `${envelope.id}.tmp`);
  const final = join(directory, `${envelope.id}.eml`);
  let written = temporary;
  try {
    // `wx`: an id is never used twice, and a file that is there already is not ours.
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.appendFile(`Return-Path: ${formatPath(envelope.from)}\r\n${envelope.received}`);
      for await (const bytes of body) await file.appendFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, final);
    written = final;
    await syncFolder(directory);
    return final;
  } catch (cause) {
    // Without the folder's fsync the client hears of a failure and sends again: one copy is enough.
    await rm(written, { force: true });
    throw isNoSpace(cause) ? noSpace(directory, cause) : cause;
  }
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

function noSpace(directory: string, cause: unknown): SmtpError {
  const options = { blame: "local", reply: replies.noSpace, cause } as const;
  return new SmtpError(
    "no-space",
    `no space left in ${directory}: free some, mail waits at its senders`,
    options,
  );
}

/** The fsync of a folder: the one that runs, and the one that those who came since wait for. */
interface FolderSync {
  running: Promise<void>;
  next: Promise<void> | undefined;
}

const folders = new Map<string, FolderSync>();

/**
 * Fsyncs a folder. Messages that arrive together share one: a call that finds one running, which may have begun
 * before the caller's rename, waits for the one after it.
 */
function syncFolder(directory: string): Promise<void> {
  const sync = folders.get(directory);
  if (sync === undefined) {
    const first: FolderSync = { running: fsync(directory), next: undefined };
    folders.set(directory, first);
    return settle(directory, first);
  }
  const again = (): Promise<void> => {
    sync.next = undefined;
    sync.running = fsync(directory);
    return settle(directory, sync);
  };
  sync.next ??= sync.running.then(again, again);
  return sync.next;
}

async function settle(directory: string, sync: FolderSync): Promise<void> {
  try {
    await sync.running;
  } finally {
    if (sync.next === undefined) folders.delete(directory);
  }
}

async function fsync(directory: string): Promise<void> {
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
