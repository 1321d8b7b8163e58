// Serves the files of one folder, and nothing outside it. It knows paths and files; conditions and ranges are in
// conditions.ts.
import { constants } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import path from "node:path";
import { precondition, rangeOf } from "./conditions.ts";
import type { Validators } from "./conditions.ts";
import { contentTypeOf } from "./content-types.ts";
import { formatDate, notAfterNow } from "./date.ts";
import type { HttpResponse } from "./handler.ts";
import type { HttpRequest } from "./request.ts";
import { queryOf } from "./target.ts";

export interface FilesOptions {
  /** What a path begins with; the rest names the file. Default: `"/"`. */
  readonly prefix?: string | undefined;
  /** Served for a folder. Default: `"index.html"`; `""` for none. */
  readonly index?: string | undefined;
  /** The Cache-Control field. Default: `"no-cache"`: kept, but asked for again each time. */
  readonly cacheControl?: string | undefined;
}

const NOT_FOUND: HttpResponse = { status: 404, body: "404 Not Found\n" };
/** Up to this many bytes are read at once and leave with the head; more is streamed. */
const WHOLE_LIMIT = 64 * 1024;

/**
 * A handler for the files under `root`: GET and HEAD, with entity tags, dates, and single ranges.
 *
 * Hidden, and answered 404: what is outside of `root` (by "..", by encoded separators, by a symbolic link that leads
 * out), names that begin with a dot, and all that is neither a file nor a folder.
 */
export function files(
  root: string,
  options: FilesOptions = {},
): (request: HttpRequest) => Promise<HttpResponse> {
  const { prefix = "/", index = "index.html", cacheControl = "no-cache" } = options;
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return { status: 405, headers: { Allow: "GET, HEAD" }, body: "405 Method Not Allowed\n" };
    }
    const requested = request.path;
    const segments = requested.startsWith(prefix) ? segmentsOf(requested.slice(prefix.length)) : undefined;
    if (segments === undefined) return NOT_FOUND;
    try {
      // A folder ends in "/", so that relative links on its page work.
      const isFolder = segments.at(-1) === "";
      if (isFolder) {
        if (index === "") return NOT_FOUND;
        segments[segments.length - 1] = index;
      }
      const found = await locate(root, segments);
      if (found === undefined) return NOT_FOUND;
      if ((await stat(found)).isDirectory()) {
        if (isFolder) return NOT_FOUND;
        const query = queryOf(request.target);
        const location = query === "" ? `${requested}/` : `${requested}/?${query}`;
        return { status: 308, headers: { Location: location }, body: null };
      }
      return await reply(request, found, cacheControl);
    } catch (error) {
      if (isAbsence(error)) return NOT_FOUND;
      throw error;
    }
  };
}

/**
 * The names in a path, decoded one by one, so that an encoded separator stays inside a name, where it is refused.
 * The last is empty for a folder. `undefined` for a path that cannot name a file here.
 */
function segmentsOf(rest: string): string[] | undefined {
  const segments: string[] = [];
  const parts = rest.split("/");
  for (const [at, part] of parts.entries()) {
    let name: string;
    try {
      name = decodeURIComponent(part);
    } catch {
      return undefined;
    }
    if (name === "" ? at < parts.length - 1 : !isName(name)) return undefined;
    segments.push(name);
  }
  return segments;
}

/** No "." and "..", no hidden file, nothing that a file system could take for a separator, a stream or an end. */
function isName(name: string): boolean {
  return !name.startsWith(".") && !/[/\\:\0]/.test(name);
}

/** The real path of a file that exists inside `root`, with all links followed; `undefined` when it leads elsewhere. */
async function locate(root: string, segments: readonly string[]): Promise<string | undefined> {
  const base = await realpath(root);
  const found = await realpath(path.join(base, ...segments));
  const relative = path.relative(base, found);
  if (relative === "") return found;
  // A link may lead to another place inside, but not to a hidden one.
  return !path.isAbsolute(relative) && relative.split(path.sep).every((name) => !name.startsWith("."))
    ? found
    : undefined;
}

async function reply(request: HttpRequest, file: string, cacheControl: string): Promise<HttpResponse> {
  // Its links are resolved: should the file have become one since, it is not followed. A pipe must not block.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  let kept = false;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return NOT_FOUND;
    const { size, mtimeMs } = stats;
    const etag = `"${Math.round(mtimeMs * 1000).toString(36)}-${size.toString(36)}"`;
    // A file that was changed in the future, by our clock, counts as changed now (RFC 9110 §8.8.2.1).
    const lastModified = notAfterNow(stats.mtime);
    const validators: Validators = { etag, lastModified };
    const headers = {
      ETag: etag,
      "Last-Modified": formatDate(lastModified),
      "Cache-Control": cacheControl,
      "Accept-Ranges": "bytes",
    };
    const failed = precondition(request.headers, validators);
    if (failed !== undefined) return { status: failed, headers, body: null };
    const described = {
      ...headers,
      "Content-Type": contentTypeOf(file),
      // What we say is what it is: a text must not be run because it looks like a script.
      "X-Content-Type-Options": "nosniff",
    };
    const range = request.method === "GET" ? rangeOf(request.headers, size, validators) : undefined;
    if (range === "unsatisfiable") {
      return { status: 416, headers: { ...headers, "Content-Range": `bytes */${size}` }, body: null };
    }
    const { start, end } = range ?? { start: 0, end: size };
    const length = end - start;
    const status = range === undefined ? 200 : 206;
    const part = range === undefined ? {} : { "Content-Range": `bytes ${start}-${end - 1}/${size}` };
    const complete = { ...described, ...part, "Content-Length": length };
    if (request.method === "HEAD") return { status, headers: complete, body: null };
    if (length <= WHOLE_LIMIT)
      return { status, headers: complete, body: await readPart(handle, start, length) };
    kept = true;
    return { status, headers: complete, body: new FilePart(handle, start, end) };
  } finally {
    if (!kept) await handle.close();
  }
}

/** A part of an open file, piece by piece. It closes the file at its end, and when nobody wants the rest. */
class FilePart implements AsyncIterableIterator<Uint8Array> {
  readonly #handle: FileHandle;
  #at: number;
  readonly #end: number;

  constructor(handle: FileHandle, start: number, end: number) {
    this.#handle = handle;
    this.#at = start;
    this.#end = end;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const piece = await readPart(this.#handle, this.#at, Math.min(WHOLE_LIMIT, this.#end - this.#at));
    if (piece.length === 0) return this.return();
    this.#at += piece.length;
    return { done: false, value: piece };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#handle.close();
    return { done: true, value: undefined };
  }
}

async function readPart(handle: FileHandle, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, start + filled);
    // Cut short meanwhile: the length that was promised is not kept, and the reply fails.
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Errors that say that there is nothing to serve: to the client these are all one. */
function isAbsence(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM", "ENAMETOOLONG", "EISDIR", "ENXIO"].includes(code);
}
