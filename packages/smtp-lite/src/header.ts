// The header of a message: fields out of bytes, as a person reads them. It knows RFC 5322 section 2.2 (fields, folding) and
// RFC 2047 (encoded words); it knows no field's own grammar, and nothing of the body.

/** One field, unfolded and decoded. */
export interface HeaderField {
  /** As it is written: `"Subject"`. */
  readonly name: string;
  readonly value: string;
}

/** The fields of a message, in order. */
export class MessageHeader {
  readonly fields: readonly HeaderField[];

  constructor(fields: readonly HeaderField[]) {
    this.fields = fields;
  }

  /** The first field of this name, in any case of letters. */
  get(name: string): string | undefined {
    return this.getAll(name)[0];
  }

  getAll(name: string): readonly string[] {
    const wanted = name.toLowerCase();
    return this.fields.filter((field) => field.name.toLowerCase() === wanted).map(({ value }) => value);
  }
}

export interface SplitMessage {
  readonly header: MessageHeader;
  readonly body: Buffer;
}

/** Cuts a message, or a part of one, at its first empty line. Lines that are no field are left out; it never throws. */
export function splitMessage(raw: Buffer): SplitMessage {
  const empty = raw.subarray(0, 2).toString("latin1") === "\r\n" ? -2 : raw.indexOf("\r\n\r\n");
  const end = empty === -1 ? raw.length : Math.max(empty, 0);
  // A line that begins with white space continues the one before it (section 2.2.3).
  const lines = decodeBytes(raw.subarray(0, end))
    .replaceAll(/\r\n(?=[ \t])/g, "")
    .split("\r\n");
  const fields: HeaderField[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (/^[!-~]+$/.test(name)) fields.push({ name, value: decodeHeaderText(line.slice(colon + 1).trim()) });
  }
  return {
    header: new MessageHeader(fields),
    body: raw.subarray(empty === -1 ? raw.length : empty + 4),
  };
}

/** `=?charset?B?text?=`, with a language (RFC 2231 section 5) that is of no interest here. */
const WORD = String.raw`=\?[^?\s*]+(?:\*[^?\s]*)?\?[BbQq]\?[^?\s]*\?=`;
const RUN = new RegExp(`${WORD}(?:[ \\t]*${WORD})*`, "g");
const PARTS = /=\?([^?\s*]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?\s]*)\?=/g;

/**
 * The text of a header field, as a person reads it: its encoded words (RFC 2047, and RFC 2231 section 5) decoded, wherever they
 * stand. It wants the value unfolded, and never throws: words of a charset that this Node does not know stay as they are. What
 * comes out may have control characters in it.
 */
export function decodeHeaderText(text: string): string {
  return text.replaceAll(RUN, (run) => decodeRun(run) ?? run);
}

/**
 * Words side by side: white space between them is not part of the text (section 6.2). Some mailers cut a character in two between
 * words of one charset, so their bytes are joined first.
 */
function decodeRun(run: string): string | undefined {
  const pieces: { charset: string; bytes: Buffer[] }[] = [];
  for (const [, name = "", encoding, text = ""] of run.matchAll(PARTS)) {
    const charset = name.toLowerCase();
    const bytes = encoding?.toUpperCase() === "B" ? Buffer.from(text, "base64") : fromQ(text);
    const last = pieces.at(-1);
    if (last?.charset === charset) last.bytes.push(bytes);
    else pieces.push({ charset, bytes: [bytes] });
  }
  const texts = pieces.map(({ charset, bytes }) => decodeCharset(Buffer.concat(bytes), charset));
  return texts.includes(undefined) ? undefined : texts.join("");
}

/** "Q" (section 4.2): an underscore is a space, `=C3` a byte. */
function fromQ(text: string): Buffer {
  return decodeEscapes(text.replaceAll("_", " "));
}

/** `=C3` is a byte, and every other character one too: "Q", and quoted-printable without its soft line breaks. */
export function decodeEscapes(text: string): Buffer {
  const decoded = text.replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1");
}

/** `undefined` for a charset that this Node does not know. */
export function decodeCharset(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return undefined;
  }
}

/** UTF-8 (RFC 6532), or else one character a byte. */
export function decodeBytes(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
