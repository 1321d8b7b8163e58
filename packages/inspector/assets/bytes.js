// @ts-check
// Bytes as a person reads them: as text in which nothing is invisible, or as hex. Pure: it knows no document.

/** @typedef {{ readonly start: number, readonly end: number }} Span */
/** @typedef {Span & { readonly kind: string }} Mark Lights up a part of the bytes, by absolute offsets. */
/** @typedef {{ text: string, kind: "plain" | "control" | "escape" }} Piece */
/** @typedef {Span & { kinds: string[] }} Segment Bytes that are all marked alike. */

/** @param {string} text */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * Cuts a stretch of bytes wherever a mark begins or ends.
 * @param {Span} span
 * @param {readonly Mark[]} marks
 * @returns {Segment[]}
 */
export function segments(span, marks) {
  const inside = marks.filter((mark) => mark.start < span.end && mark.end > span.start);
  const cuts = new Set([span.start, span.end]);
  for (const mark of inside) {
    cuts.add(Math.max(mark.start, span.start));
    cuts.add(Math.min(mark.end, span.end));
  }
  const sorted = [...cuts].toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => {
    const start = sorted[index] ?? span.start;
    const kinds = inside.filter((mark) => mark.start <= start && mark.end >= end).map((mark) => mark.kind);
    return { start, end, kinds: [...new Set(kinds)] };
  });
}

/** The names of the control characters (RFC 20): few fonts have the pictures of Unicode (␍ ␊), every font has letters. */
const CONTROLS =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );

/**
 * Bytes as text: valid UTF-8 as it is, line ends and other controls by their names (CR, LF, NUL), whatever else could
 * not be seen, or could turn the text around, as an escape.
 * @param {Uint8Array} bytes
 * @returns {Piece[]}
 */
export function textPieces(bytes) {
  /** @type {Piece[]} */
  const pieces = [];
  let plain = "";
  /** @param {Piece} piece */
  const add = (piece) => {
    if (plain !== "") pieces.push({ text: plain, kind: "plain" });
    plain = "";
    pieces.push(piece);
  };
  for (let index = 0; index < bytes.length;) {
    const byte = bytes[index] ?? 0;
    const length = sequenceLength(byte);
    const character = length > 1 ? decode(bytes.subarray(index, index + length)) : undefined;
    if (byte < 0x20 || byte === 0x7f) {
      add({ text: CONTROLS[byte] ?? "DEL", kind: "control" });
      if (byte === 0x0a && index + 1 < bytes.length) plain = "\n";
    } else if (byte < 0x7f) {
      plain += String.fromCharCode(byte);
    } else if (character === undefined) {
      add({ text: `\\x${hex(byte)}`, kind: "escape" });
    } else if (/^[\p{C}\p{Z}\p{M}]$/u.test(character)) {
      add({ text: `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`, kind: "escape" });
    } else {
      plain += character;
    }
    index += character === undefined ? 1 : length;
  }
  if (plain !== "") pieces.push({ text: plain, kind: "plain" });
  return pieces;
}

/** @param {number} byte */
export function hex(byte) {
  return byte.toString(16).padStart(2, "0");
}

/** A byte in the text column of a hex dump. @param {number} byte */
export function printable(byte) {
  return byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : "·";
}

/** How many bytes the UTF-8 sequence has that this byte begins. @param {number} byte */
function sequenceLength(byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  if (byte >= 0xf0 && byte <= 0xf4) return 4;
  return 1;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {Uint8Array} bytes */
function decode(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
