// Makes files last that were written without any sync: a few each on its own, many by one call for their whole file system.
import { join } from "node:path";
import { FINAL } from "./store-file.ts";
import { disk, unlessGone } from "./store-disk.ts";
import type { Folder } from "./store-disk.ts";

/** Up to so many files are made to last one by one; `sync` makes all that others have written last too, and is a process. */
const FEW = 64;

/** Where systems have the tool `sync`: not by PATH, where a package may have put something of that name. */
export const SYNC_TOOLS: readonly string[] = ["/usr/bin/sync", "/bin/sync"];

/**
 * Makes messages last, content and name. Those that somebody has taken out of the folder need it no more.
 * @throws errors of the file system: then nothing is known of any of them.
 */
export async function makeSafe(
  folder: Folder,
  ids: readonly string[],
  tools: readonly string[] = SYNC_TOOLS,
): Promise<void> {
  if (ids.length === 0) return;
  if (ids.length > FEW) {
    for (const tool of tools) if (await syncFileSystem(tool, folder.path)) return;
  }
  for (const id of ids) await unlessGone(syncFile(join(folder.path, id + FINAL)));
  await disk.fsync(folder.file);
}

async function syncFile(path: string): Promise<void> {
  const file = await disk.open(path, "r");
  try {
    await disk.fdatasync(file);
  } finally {
    await disk.close(file);
  }
}

/** syncfs(2), which Node does not have; `false` where there is no such tool, or it has failed. */
async function syncFileSystem(tool: string, path: string): Promise<boolean> {
  const { spawn } = await import("node:child_process");
  return new Promise((resolve) => {
    try {
      const child = spawn(tool, ["-f", "--", path], { stdio: "ignore" });
      child.once("error", () => resolve(false));
      child.once("close", (code) => resolve(code === 0));
    } catch {
      // Some reasons, such as a lack of memory, are thrown.
      resolve(false);
    }
  });
}
