// The subject out of a message's header. It knows lines and encoded words (RFC 5322, RFC 2047), and no more of mail:
// a program that needs more takes a library.

/** Most of a header that is kept, in bytes: more is no header. */
const MAX_HEADER = 65_536;

/** An encoded word: charset (and language), encoding, text. */
const WORD = /=\?([\w-]+)(?:\*[\w-]+)?\?([BQ])\?([^? ]*)\?=/gi;

/** Reads a whole message, keeps its header alone, and gives the subject, or `undefined` where it has none. */
export async function readSubject(body: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  let header = "";
  for await (const bytes of body) {
    // latin1: one character a byte, so that nothing is decoded before it is known to be whole.
    if (header.length < MAX_HEADER) header += Buffer.from(bytes).toString("latin1");
  }
  const [fields = ""] = `\r\n${header.slice(0, MAX_HEADER)}`.split("\r\n\r\n", 1);
  // A line that begins with white space continues the one before it (RFC 5322 section 2.2.3).
  const lines = fields.replace(/\r\n(?=[ \t])/g, "").split("\r\n");
  const subject = lines.find((line) => line.toLowerCase().startsWith("subject:"));
  return subject === undefined ? undefined : decodeWords(subject.slice("subject:".length).trim());
}

/** UTF-8 (RFC 6532) with encoded words such as `=?utf-8?Q?caf=C3=A9?=` in it. */
function decodeWords(raw: string): string {
  const text = Buffer.from(raw, "latin1").toString("utf8");
  // White space between two encoded words is not part of the text (RFC 2047 section 6.2).
  return text
    .replace(/\?=[ \t]+=\?/g, "?==?")
    .replace(WORD, (_, charset: string, encoding: string, word: string) =>
      decode(charset, encoding.toUpperCase() === "B" ? Buffer.from(word, "base64") : fromQ(word)),
    );
}

/** "Q": an underscore is a space, `=C3` is a byte. */
function fromQ(word: string): Buffer {
  const latin1 = word
    .replaceAll("_", " ")
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, "latin1");
}

function decode(charset: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    // A charset that nobody knows.
    return new TextDecoder("latin1").decode(bytes);
  }
}
