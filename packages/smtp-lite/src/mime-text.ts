// The text of a message, for a test to look into. It knows just enough of MIME (RFC 2045, RFC 2046) to find the first text
// part and decode it; for attachments and all the rest give a message's bytes to a MIME library.
import { decodeBytes, decodeCharset, decodeEscapes, splitMessage } from "./header.ts";

/** Parts within parts: deeper ones are not looked into. */
const MAX_DEPTH = 8;

/** The first part of type `text/plain` or `text/html` that is no attachment, its line ends as `\n`. */
export function findText(raw: Buffer, subtype: "plain" | "html", depth: number = 0): string | undefined {
  const { header, body } = splitMessage(raw);
  const type = header.get("Content-Type") ?? "text/plain";
  const media = /^[^;\s]*/.exec(type)?.[0].toLowerCase() ?? "";
  if (media.startsWith("multipart/")) {
    const boundary = parameter(type, "boundary");
    if (boundary === undefined || depth >= MAX_DEPTH) return undefined;
    for (const part of splitParts(body, boundary)) {
      const text = findText(part, subtype, depth + 1);
      if (text !== undefined) return text;
    }
    return undefined;
  }
  const attached = /^attachment\b/i.test(header.get("Content-Disposition") ?? "");
  if (attached || media !== `text/${subtype}`) return undefined;
  const bytes = decodeTransfer(body, header.get("Content-Transfer-Encoding") ?? "");
  const charset = parameter(type, "charset");
  const text = charset === undefined ? undefined : decodeCharset(bytes, charset);
  return (text ?? decodeBytes(bytes)).replaceAll("\r\n", "\n");
}

/** A parameter of `Content-Type`, its quotes taken off. */
function parameter(type: string, name: string): string | undefined {
  for (const [, found, quoted, plain] of type.matchAll(/;\s*([^=;\s]+)\s*=\s*(?:"([^"]*)"|([^;\s"]*))/g)) {
    if (found?.toLowerCase() === name) return quoted ?? plain;
  }
  return undefined;
}

/** RFC 2046 section 5.1.1: each part begins behind a line `--boundary`; behind `--boundary--` there is none. */
function splitParts(body: Buffer, boundary: string): Buffer[] {
  const parts: string[] = [];
  // latin1: one character a byte. The line before the first part may be the first of all.
  for (const piece of `\r\n${body.toString("latin1")}`.split(`\r\n--${boundary}`).slice(1)) {
    if (piece.startsWith("--")) break;
    const start = /^[ \t]*\r\n/.exec(piece)?.[0].length;
    if (start !== undefined) parts.push(piece.slice(start));
    // Another part's boundary, of which ours is the beginning.
    else if (parts.length > 0) parts.push(`${parts.pop()}\r\n--${boundary}${piece}`);
  }
  return parts.map((part) => Buffer.from(part, "latin1"));
}

function decodeTransfer(body: Buffer, encoding: string): Buffer {
  switch (encoding.trim().toLowerCase()) {
    case "base64":
      return Buffer.from(body.toString("latin1"), "base64");
    case "quoted-printable":
      // A soft line break (RFC 2045 section 6.7, rule 5): the last line's CRLF belongs to the boundary behind it.
      return decodeEscapes(body.toString("latin1").replaceAll(/=[ \t]*(?:\r\n|$)/g, ""));
    default:
      return body;
  }
}
