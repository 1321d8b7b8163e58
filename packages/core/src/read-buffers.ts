// The buffers of reads, and when one may be read into again. It knows no socket: fast-read.ts reads into them.
//
// What a read gave is handed out as a chunk of a buffer of its own, and whoever gets it may keep it: its buffer is then left
// to the garbage collector. Its memory is used again only when all three who can know have said, each for its part, that
// nobody holds it:
//
//  - This file: only the very chunk that was handed out counts, never a part of it. So nothing else that came in the same
//    read (the head of a message that is decoded later, the next request) can still be looked at through it; `ByteQueue`
//    gives a chunk as it got it where nothing of it was taken before and nothing of it stays.
//  - The connection: no tap and no `data` listener was shown it. Else it says `keep`, before the protocol gets it.
//  - The protocol on top, whose session and handlers are done with it: it says `recycle`.
import { markAsUntransferable } from "node:worker_threads";

/** Bytes that one read can take, and the largest buffer. */
export const READ_SIZE = 65_536;

/** Less than this much has no buffer of its own: Node's pool serves it quicker. */
const SHORT = 4096;

/** The smallest buffer. Each size is twice the one before, so that a piece that is kept holds little more than its bytes. */
const SMALLEST = 8192;
const SMALLEST_BITS = 13;
const SIZES = 4;

/** Bytes of buffers that wait to be used again, at most, for each size: 2 MiB for the process. */
const MOST_SPARE = 524_288;

/** Of so many reads for which no buffer waits, one gets one all the same: where it is given back, the next has it. */
const TRY_EVERY = 16;
let tries = 0;

/** Chunks that were handed out, and nobody is known to keep; each with the buffer that it is of. */
const lent = new WeakMap<Uint8Array, Buffer<ArrayBuffer>>();

/** Chunks that were given back, by size. A chunk counts once: the next read into its buffer makes another one. */
const spare: readonly Uint8Array[][] = Array.from({ length: SIZES }, () => []);

/**
 * A buffer that nobody else sees, for what was read, or for `length` bytes that a session makes of it (content without its
 * dots): that long or longer. For a short piece, or one that is longer than a read, it is just as long, and its memory is never
 * used again.
 */
export function takeReadBuffer(length: number = READ_SIZE): Buffer<ArrayBuffer> {
  if (length < SHORT || length > READ_SIZE) return Buffer.allocUnsafe(length);
  const index = sizeIndex(length);
  const chunks = spare[index]!;
  for (let chunk = chunks.pop(); chunk !== undefined; chunk = chunks.pop()) {
    const buffer = lent.get(chunk);
    lent.delete(chunk);
    if (buffer !== undefined) return buffer;
  }
  const buffer = Buffer.allocUnsafeSlow(SMALLEST << index);
  // Who could transfer it to another thread would take it from those that read into it later. Node's pool is marked so, too.
  markAsUntransferable(buffer.buffer);
  return buffer;
}

/**
 * Whether what was read is worth a buffer of `takeReadBuffer`. A short read is not, nor is one whose protocol gives nothing back:
 * memory that is just as long costs less then.
 */
export function isWorthLending(length: number): boolean {
  if (length < SHORT) return false;
  if (spare[sizeIndex(length)]!.length > 0) return true;
  tries = (tries + 1) % TRY_EVERY;
  return tries === 0;
}

/** The first `length` bytes of a buffer of `takeReadBuffer`, to be handed out. Nobody may hold any other part of it. */
export function lend(buffer: Buffer<ArrayBuffer>, length: number): Buffer<ArrayBuffer> {
  const chunk = buffer.subarray(0, length);
  if (!isReadBuffer(buffer)) return chunk;
  // Behind the chunk there may be bytes of somebody else: who looks at its `buffer`, or clones it into another thread, sees none.
  if (length < buffer.length) buffer.fill(0, length);
  lent.set(chunk, buffer);
  return chunk;
}

/** Somebody may keep this chunk, or a part of it: its memory is not used again. */
export function keep(chunk: Uint8Array): void {
  lent.delete(chunk);
}

/**
 * From now on `part` counts for `chunk`. Call it where that part is all that anybody holds of the chunk, and the chunk itself is
 * forgotten: a session does when it takes a message's end off, and nothing of the chunk came before or stays behind.
 */
export function narrow(chunk: Uint8Array, part: Uint8Array): void {
  const buffer = lent.get(chunk);
  if (buffer === undefined) return;
  lent.delete(chunk);
  lent.set(part, buffer);
}

/**
 * Gives back a chunk that a session was given to `receive`: its memory may be read into again, on any connection. Call it where
 * no session, handler or event will look at the chunk or any part of it from now on, and nowhere else: who does sees what other
 * clients send. Where somebody else was shown the chunk (a tap, a listener of `data`), or it is only a part of what was read at
 * once, nothing happens.
 */
export function recycle(chunk: Uint8Array): void {
  const size = lent.get(chunk)?.length ?? 0;
  if (size < SMALLEST) return;
  const chunks = spare[sizeIndex(size)]!;
  if (chunks.length * size < MOST_SPARE) chunks.push(chunk);
}

/** True for those of `takeReadBuffer` that may be used again. */
function isReadBuffer({ length }: Buffer): boolean {
  return length >= SMALLEST && length <= READ_SIZE;
}

/** Which size holds so many bytes. */
function sizeIndex(length: number): number {
  return Math.max(0, 32 - Math.clz32(length - 1) - SMALLEST_BITS);
}
