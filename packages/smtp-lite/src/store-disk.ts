// The file system as the store uses it: plain descriptors, whole writes, errors by their code. It knows no messages.
import {
  close,
  fdatasync,
  fstat,
  fsync,
  open,
  read,
  rename,
  stat,
  statSync,
  unlink,
  writev,
  writevSync,
} from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";

interface Disk {
  readonly open: typeof open.__promisify__;
  readonly read: typeof read.__promisify__;
  readonly writev: typeof writev.__promisify__;
  readonly fstat: typeof fstat.__promisify__;
  readonly stat: typeof stat.__promisify__;
  readonly fdatasync: typeof fdatasync.__promisify__;
  readonly fsync: typeof fsync.__promisify__;
  readonly close: typeof close.__promisify__;
  readonly rename: typeof rename.__promisify__;
  readonly unlink: typeof unlink.__promisify__;
}

/** The calls of `node:fs` that wait for the disk, as promises. On descriptors: a `FileHandle` costs a message a tenth more CPU. */
export const disk: Disk = {
  open: promisify(open),
  read: promisify(read),
  writev: promisify(writev),
  fstat: promisify(fstat),
  stat: promisify(stat),
  fdatasync: promisify(fdatasync),
  fsync: promisify(fsync),
  close: promisify(close),
  rename: promisify(rename),
  unlink: promisify(unlink),
};

/** A folder that is open. */
export interface Folder {
  /** Absolute. */
  readonly path: string;
  /** Its descriptor: fsync makes names last. */
  readonly file: number;
  /** Which folder that is, on which device. */
  readonly inode: number;
  readonly device: number;
}

/** Opens a folder. @throws errors of the file system. */
export async function openFolder(path: string): Promise<Folder> {
  const absolute = resolve(path);
  const file = await disk.open(absolute, "r");
  const { ino, dev } = await disk.fstat(file);
  return { path: absolute, file, inode: ino, device: dev };
}

/**
 * Files are made by path, and made to last by descriptor: both are to mean the same folder.
 * @throws Error when the path leads to another folder by now, and errors of the file system.
 */
export async function checkFolder(folder: Folder): Promise<void> {
  compare(folder, await disk.stat(folder.path));
}

/** The same, and the thread waits. */
export function checkFolderSync(folder: Folder): void {
  compare(folder, statSync(folder.path));
}

function compare({ path, inode, device }: Folder, found: { ino: number; dev: number }): void {
  if (found.ino === inode && found.dev === device) return;
  throw new Error(`${path} is not the folder any more that was opened: open it anew`);
}

/** What nobody has written to for so long, in milliseconds, is left from a crash: the 36 hours that Maildir has. */
export const STALE: number = 36 * 60 * 60 * 1000;

/** Writes all of it, where the file's last write ended. On a disk that is nearly full, a part is written, and only the next call fails. */
export async function writeAll(file: number, pieces: readonly Uint8Array[]): Promise<void> {
  let left = pieces.filter(({ length }) => length > 0);
  while (left.length > 0) left = without(left, (await disk.writev(file, left)).bytesWritten);
}

/** The same, and the thread waits. */
export function writeAllSync(file: number, pieces: readonly Uint8Array[]): void {
  let left = pieces.filter(({ length }) => length > 0);
  while (left.length > 0) left = without(left, writevSync(file, left));
}

/** The pieces that are left once so many bytes are written. */
function without(pieces: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  for (const [index, piece] of pieces.entries()) {
    if (skip < piece.length) return [piece.subarray(skip), ...pieces.slice(index + 1)];
    skip -= piece.length;
  }
  return [];
}

/** Takes a name away; one that is not there is fine, or for one of these reasons beside that. */
export async function removeFile(path: string, ...others: string[]): Promise<void> {
  await unlessGone(disk.unlink(path), ...others);
}

/** Why the system lets nobody touch a file that is somebody else's. */
export const FORBIDDEN = ["EACCES", "EPERM"] as const;

/** What `work` gives, or `undefined` where there is no such file, or for one of these reasons beside that. */
export async function unlessGone<Result>(
  work: Promise<Result>,
  ...others: string[]
): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, "ENOENT", ...others)) return undefined;
    throw error;
  }
}

/** The disk or the quota is full. */
export function isNoSpace(error: unknown): boolean {
  return hasCode(error, "ENOSPC", "EDQUOT");
}

/** Whether it is an error with one of these codes of the system. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}
