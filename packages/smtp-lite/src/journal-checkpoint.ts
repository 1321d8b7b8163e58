// Makes files last that were written without any sync: a few each on its own, many by one call for their whole file system.
import type { StdioOptions } from "node:child_process";
import { join } from "node:path";
import { FINAL } from "./store-file.ts";
import { disk, FORBIDDEN, unlessGone } from "./store-disk.ts";
import type { Folder } from "./store-disk.ts";
import { DOUBTED_PREFIX, JOURNAL_PREFIX } from "./journal-format.ts";

/** Up to so many files are made to last one by one; `sync` makes all that others have written last too, and is a process. */
const FEW = 64;

/** Where systems have the tool `sync`: not by PATH, where a package may have put something of that name. */
export const SYNC_TOOLS: readonly string[] = ["/usr/bin/sync", "/bin/sync"];

/**
 * Makes messages last, content and name. One that is not there, or not ours, was taken: it may lie elsewhere on this file system,
 * which is made to last as a whole then. Without the tool `sync`, that is for whoever took it.
 * @throws errors of the file system: see `isDoubt`.
 */
export async function makeSafe(
  folder: Folder,
  ids: readonly string[],
  tools: readonly string[] = SYNC_TOOLS,
): Promise<void> {
  if (ids.length === 0) return;
  if (ids.length <= FEW && (await syncEach(folder, ids))) return disk.fsync(folder.file);
  if (await syncFileSystem(folder, tools)) return;
  await syncEach(folder, ids);
  await disk.fsync(folder.file);
}

/**
 * Whether after this error of `makeSafe` files may be wrong on disk. The system tells once that it could not write them: from then
 * on it takes them for written, and shows them as they should be, until it has to read them from the disk.
 */
export function isDoubt(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && SYNCS.includes(error.syscall);
}
const SYNCS: readonly unknown[] = ["fdatasync", "fsync", "syncfs"];

/**
 * Marks a journal whose files are in doubt: who opens the folder next writes them anew. The mark itself need not last: when the
 * system goes down, so does what it shows in place of the disk.
 */
export async function markDoubted(folder: Folder, name: string): Promise<void> {
  if (name.startsWith(DOUBTED_PREFIX)) return;
  const marked = DOUBTED_PREFIX + name.slice(JOURNAL_PREFIX.length);
  await unlessGone(disk.rename(join(folder.path, name), join(folder.path, marked)));
}

/** Whether all of them were there. */
async function syncEach(folder: Folder, ids: readonly string[]): Promise<boolean> {
  let areThere = true;
  for (const id of ids) {
    const file = await unlessGone(disk.open(join(folder.path, id + FINAL), "r"), ...FORBIDDEN);
    areThere &&= file !== undefined;
    if (file === undefined) continue;
    try {
      await disk.fdatasync(file);
    } finally {
      await disk.close(file);
    }
  }
  return areThere;
}

/** syncfs(2), which Node does not have; `false` where no such tool can be run. @throws Error when it has failed. */
async function syncFileSystem(folder: Folder, tools: readonly string[]): Promise<boolean> {
  for (const tool of tools) {
    const code = await run(tool, folder);
    if (code === 0) return true;
    // No second tool: the first one has been told what there was to tell.
    if (code === undefined) continue;
    // Whoever ended it says nothing of the disk: the next checkpoint tries again.
    if (code === null) throw new Error(`${tool} was ended before ${folder.path} was on disk`);
    const error = new Error(`what is in ${folder.path} cannot be written to disk: ${tool} -f has failed`);
    throw Object.assign(error, { syscall: "syncfs" });
  }
  return false;
}

/** Its exit code, `null` when it was killed; `undefined` when it cannot be run. */
async function run(tool: string, folder: Folder): Promise<number | null | undefined> {
  const { spawn } = await import("node:child_process");
  return new Promise((resolve) => {
    try {
      // By its descriptor: by now the path may lead elsewhere.
      const stdio: StdioOptions = [folder.file, "ignore", "ignore"];
      // Apart from us: an interrupt from the keyboard, which ends us in good order, is not for it.
      const child = spawn(tool, ["-f", "/proc/self/fd/0"], { stdio, detached: true });
      child.once("error", () => resolve(undefined));
      child.once("close", resolve);
    } catch {
      // Some reasons, such as a lack of memory, are thrown.
      resolve(undefined);
    }
  });
}
