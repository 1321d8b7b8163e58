// Making a folder, with those it stands in. Node's own recursive `mkdir` never ends where the system denies that a folder can
// be, as below /proc.
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes the folder, and where they are missing those above it. One that is there already is left as it is.
 * @throws the system's error: `ENOTDIR` or `EEXIST` where a file is in the way, `ENOENT` where the system lets nothing be made.
 */
export async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = [];
  let path = resolve(folder);
  // The root is its own parent.
  while (path !== dirname(path) && !(await isThere(path))) {
    missing.push(path);
    path = dirname(path);
  }
  for (const one of missing.toReversed()) await makeOne(one);
}

/** Each is made once: an error is final. Another process may have been faster, which is as good. */
async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!(await isFolder(path))) throw error;
  }
}

/** @throws the system's error for all but that there is nothing. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
