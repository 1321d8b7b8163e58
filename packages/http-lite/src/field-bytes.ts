// Skips the bytes of field values. Most of a browser's request is long values, so these are looked at eight at a time.
// It knows bytes, not fields.
import { FIELD_BYTE } from "./wire.ts";

/** Bytes that are looked at one by one first: most values are no longer. */
const SHORT = 16;

/** The index of the first byte in `[from, stop)` that may not stand in a field value (RFC 9110 §5.5); `stop` where all may. */
export function skipFieldBytes(buffer: Buffer, from: number, stop: number): number {
  const at = skipSingly(buffer, from, Math.min(stop, from + SHORT));
  return at < from + SHORT ? at : skipSingly(buffer, skipEights(buffer, at, stop), stop);
}

function skipSingly(buffer: Buffer, from: number, stop: number): number {
  let at = from;
  while (at < stop && FIELD_BYTE[buffer[at]!] === 1) at++;
  return at;
}

/** The memory that `view` shows. It is that of many small buffers, so that the view need not be made for each. */
let memory: ArrayBufferLike = new ArrayBuffer(0);
let view: DataView = new DataView(memory);
/** The buffer that was looked at last: to ask one for its memory is slower than all the rest. */
let latest: Buffer | undefined;

/** Skips eight visible ASCII characters or spaces at a time, and stops at what is anything else, or less than eight. */
function skipEights(buffer: Buffer, from: number, stop: number): number {
  if (buffer !== latest) show(buffer);
  const { byteOffset } = buffer;
  const last = byteOffset + stop - 8;
  let at = byteOffset + from;
  while (at <= last && !(hasOther(view.getInt32(at)) || hasOther(view.getInt32(at + 4)))) at += 8;
  return at - byteOffset;
}

function show(buffer: Buffer): void {
  latest = buffer;
  if (buffer.buffer === memory) return;
  memory = buffer.buffer;
  view = new DataView(memory);
}

/**
 * True when one of four bytes is not in 0x20–0x7E. A byte's highest bit is set by itself above 0x7F, by subtraction below
 * 0x20, and by subtraction from its difference to 0x7F where it is that. A borrow from the byte beside it may set the bit
 * of one that is right, never clear that of one that is wrong.
 */
function hasOther(four: number): boolean {
  return ((four | (four - 0x20202020) | ((four ^ 0x7f7f7f7f) - 0x01010101)) & 0x80808080) !== 0;
}
