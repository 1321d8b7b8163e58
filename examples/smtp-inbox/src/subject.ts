// The subject out of a message's header. It knows lines (RFC 5322), and no more of mail: a program that needs more takes a
// library.
import { decodeHeaderText } from "@tcpkit/smtp-lite";

/** Most of a header that is kept, in bytes: more is no header. */
const MAX_HEADER = 65_536;

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
  if (subject === undefined) return undefined;
  // UTF-8 (RFC 6532), with encoded words such as `=?utf-8?Q?caf=C3=A9?=` in it.
  const text = Buffer.from(subject, "latin1").toString("utf8");
  return decodeHeaderText(text.slice("subject:".length).trim());
}
