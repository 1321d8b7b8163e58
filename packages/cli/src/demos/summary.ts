// What one line says of a mail: its size and its subject, gathered while the content goes by. It keeps no content
// but the beginning of the header section.
import { decodeHeaderText } from "@tcpkit/smtp-lite";
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
    const value = decodeHeaderText(line.slice(line.indexOf(":") + 1).trim());
    const text = printable(value.replaceAll("\t", " "));
    return text.length > SUBJECT_LIMIT ? `${text.slice(0, SUBJECT_LIMIT)}…` : text;
  }
}
