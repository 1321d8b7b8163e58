// The buffers of long reads, and when one may be read into again. It knows no socket: fast-read.ts reads into them.
//
// A read is handed out as a chunk of its own buffer, without a copy, and whoever gets it may keep it: its buffer is then left
// to the garbage collector. Its memory is used again only when all three who can know have said, each for its part, that
// nobody holds it:
//
//  - This file: only the very chunk that was handed out counts, never a part of it. So nothing else that came in the same
//    read (the head of a message that is decoded later, the next request) can still be looked at through it; `ByteQueue`
//    gives a chunk as it got it where nothing of it was taken before and nothing of it stays.
//  - The connection: no tap and no `data` listener was shown it. Else it says `keep`, before the next read.
//  - The protocol on top, whose session and handlers are done with it: it says `recycle`.
import { markAsUntransferable } from "node:worker_threads";

/** Bytes that one read can take. */
export const READ_SIZE = 65_536;

/** So many buffers wait to be used again, at most: 1 MiB for the process. */
const MOST_SPARE = 16;

/** Chunks that were handed out, and nobody is known to keep; each with the buffer that it is of. */
const lent = new WeakMap<Uint8Array, Buffer<ArrayBuffer>>();

/** Chunks that were given back. A chunk counts once: the next read into its buffer makes another one. */
const spare: Uint8Array[] = [];

/**
 * A buffer that nobody else sees, for a long read, or for `length` bytes that a session makes of one (content without its dots).
 * For a short piece, or one that is longer than a read, it is just as long, and its memory is never used again.
 */
export function takeReadBuffer(length: number = READ_SIZE): Buffer<ArrayBuffer> {
  if (length < READ_SIZE / 2 || length > READ_SIZE) return Buffer.allocUnsafe(length);
  for (let chunk = spare.pop(); chunk !== undefined; chunk = spare.pop()) {
    const buffer = lent.get(chunk);
    lent.delete(chunk);
    // Empty where somebody has transferred its memory elsewhere; from now on nobody can, not even a chunk's last holder.
    if (buffer?.length !== READ_SIZE) continue;
    markAsUntransferable(buffer.buffer);
    return buffer;
  }
  return Buffer.allocUnsafeSlow(READ_SIZE);
}

/** The first `length` bytes of a buffer of `takeReadBuffer`, to be handed out. Nobody may hold any other part of it. */
export function lend(buffer: Buffer<ArrayBuffer>, length: number): Buffer<ArrayBuffer> {
  const chunk = buffer.subarray(0, length);
  if (buffer.length === READ_SIZE) lent.set(chunk, buffer);
  return chunk;
}

/** Somebody may keep this chunk: its memory is not used again. */
export function keep(chunk: Uint8Array): void {
  lent.delete(chunk);
}

/**
 * Gives back a chunk that a session was given to `receive`: its memory may be read into again, on any connection. Call it where
 * no session, handler or event will look at the chunk or any part of it from now on, and nowhere else: who does sees what other
 * clients send. Where somebody else was shown the chunk (a tap, a listener of `data`), or it is only a part of what was read at
 * once, nothing happens.
 */
export function recycle(chunk: Uint8Array): void {
  if (spare.length < MOST_SPARE && lent.has(chunk)) spare.push(chunk);
}
