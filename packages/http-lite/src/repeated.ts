// Parts of replies that are the same a thousand times: made once, and flat. A string that was put together from pieces
// is put together again each time it is written, and that costs more than parsing a request. It knows no session.
import { formatStatusLine } from "./wire.ts";

let lastStatus = 0;
let lastDate = "";
let lastOpening = "";

/** The status line and the `Date` line, which change once a second. `reason` is that of RFC 9110 unless given. */
export function opening(status: number, reason: string | undefined, date: string): string {
  if (reason !== undefined) return formatStatusLine(status, reason) + date;
  if (status !== lastStatus || date !== lastDate) {
    lastOpening = flat(formatStatusLine(status) + date);
    lastStatus = status;
    lastDate = date;
  }
  return lastOpening;
}

const MOST_LENGTHS = 1024;
const lengthFields: string[] = [];

/** The `Content-Length` line. */
export function lengthField(length: number): string {
  if (length >= MOST_LENGTHS) return `Content-Length: ${length}\r\n`;
  return (lengthFields[length] ??= flat(`Content-Length: ${length}\r\n`));
}

/** The same text as one piece, for what is sent again and again. Latin1 only. */
export function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
