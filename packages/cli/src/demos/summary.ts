// What one line says of a mail: its size and its subject, gathered while the content goes by. It keeps no content
// but the beginning of the header section.
import { printable } from "../printable.ts";

/** How much of a header section is looked at, in bytes; a subject further down is not shown. */
const HEADER_LIMIT = 64 * 1024;

/** Longest subject shown, in characters. */
const SUBJECT_LIMIT = 200;

export class Summary {
  /** Bytes of content so far. */
  size = 0;
  #header = Buffer.alloc(0);
  #complete = false;

  add(bytes: Uint8Array): void {
    this.size += bytes.length;
    if (this.#complete) return;
    const room = HEADER_LIMIT - this.#header.length;
    this.#header = Buffer.concat([this.#header, bytes.subarray(0, room)]);
    this.#complete = this.#header.length >= HEADER_LIMIT || this.#header.includes("\r\n\r\n");
  }

  /** The Subject in one line, without control characters; empty when there is none. */
  get subject(): string {
    const end = this.#header.indexOf("\r\n\r\n");
    const header = this.#header.toString("utf8", 0, end < 0 ? this.#header.length : end);
    // RFC 5322 §2.2.3: a line that begins with white space goes on with the field before it.
    const lines = header.replaceAll(/\r\n(?=[ \t])/g, "").split("\r\n");
    const line = lines.find((text) => /^subject[ \t]*:/i.test(text)) ?? "";
    const value = decodeWords(line.slice(line.indexOf(":") + 1).trim());
    const text = printable(value.replaceAll("\t", " "));
    return text.length > SUBJECT_LIMIT ? `${text.slice(0, SUBJECT_LIMIT)}…` : text;
  }
}

/** RFC 2047 §2: `=?charset?B|Q?text?=`; white space between two of them is dropped (§6.2). */
const ENCODED_WORD = /=\?([^?\s]{1,40})\?([BbQq])\?([^?\s]{0,200})\?=/g;

function decodeWords(text: string): string {
  const joined = text.replaceAll(/\?=[ \t]+=\?/g, "?==?");
  return joined.replaceAll(ENCODED_WORD, (whole, charset: string, encoding: string, content: string) => {
    try {
      return new TextDecoder(charset).decode(
        encoding.toUpperCase() === "B" ? Buffer.from(content, "base64") : decodeQ(content),
      );
    } catch {
      // A charset that nobody knows: show what came.
      return whole;
    }
  });
}

/** RFC 2047 §4.2: quoted-printable, with `_` for a space. */
function decodeQ(content: string): Buffer {
  const text = content
    .replaceAll("_", " ")
    .replaceAll(/=([0-9A-Fa-f]{2})/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, "latin1");
}
