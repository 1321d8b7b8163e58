// Replies: values to bytes and back. It knows RFC 5321 section 4.2; it knows no commands.
//
//   Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
//   Reply-code = %x32-35 %x30-35 %x30-39
//   textstring = 1*(%d09 / %d32-126)
//
// RFC 2034 section 4: an enhanced code opens the text of every line of a 2xx, 4xx or 5xx reply, except that to
// EHLO and the greeting, and its class is the first digit of the reply code.
import { isUtf8 } from "node:buffer";
import type { EnhancedFor, RefusalCode, Reply } from "./codes.ts";
import { SmtpError } from "./errors.ts";

/**
 * A refusal that a hook throws, so that the client is told exactly this:
 * `throw new SmtpReply(550, "5.1.1", "no such user here")`. An enhanced code of another class than the reply code
 * does not compile.
 */
export class SmtpReply<Code extends RefusalCode = RefusalCode> extends Error implements Reply {
  override readonly name = "SmtpReply";
  readonly code: Code;
  readonly enhanced: EnhancedFor<Code>;
  readonly lines: readonly [string, ...string[]];

  /** @throws SmtpError `bad-reply` when a text is not printable ASCII, or untyped code gives codes that do not fit. */
  constructor(code: Code, enhanced: EnhancedFor<Code>, ...lines: readonly [string, ...string[]]) {
    super(`${code} ${enhanced} ${lines.join(" ")}`);
    this.code = code;
    this.enhanced = enhanced;
    this.lines = lines;
    formatReply(this);
    if (code < 400) throw badReply(`a hook refuses with 4xx or 5xx, not ${code}`);
  }
}

/**
 * The bytes of a reply as a latin1 string, `"250-one\r\n250 two\r\n"`.
 * @throws SmtpError `bad-reply` before a byte is made: no text may smuggle a line of its own.
 */
export function formatReply(reply: Reply): string {
  return reply instanceof PreparedReply ? reply.wire : format(reply);
}

/** A reply whose bytes are made: most of what a server says never changes. */
export class PreparedReply implements Reply {
  readonly code: number;
  readonly enhanced?: string;
  readonly lines: readonly [string, ...string[]];
  readonly #wire: string;

  /** `wire` is what `formatReply` would make of it, where that is known. @throws SmtpError `bad-reply` */
  constructor(reply: Reply, wire: string = format(reply)) {
    this.code = reply.code;
    if (reply.enhanced !== undefined) this.enhanced = reply.enhanced;
    this.lines = reply.lines;
    this.#wire = wire;
  }

  /** Its bytes, as a latin1 string. */
  get wire(): string {
    return this.#wire;
  }
}

function format(reply: Reply): string {
  const { code, enhanced, lines } = reply;
  if (!Number.isInteger(code) || code < 200 || code > 599) throw badReply(`${code} is not a reply code`);
  if (enhanced !== undefined && !isEnhanced(enhanced, code)) {
    throw badReply(`enhanced code ${JSON.stringify(enhanced)} does not fit reply code ${code}`);
  }
  const prefix = enhanced === undefined ? "" : `${enhanced} `;
  let left = lines.length;
  let wire = "";
  for (const line of lines) {
    if (!/^[\t -~]*$/.test(line))
      throw badReply(`a reply line is not printable ASCII: ${JSON.stringify(line)}`);
    left -= 1;
    wire += `${code}${left > 0 ? "-" : " "}${prefix}${line}\r\n`;
  }
  if (wire === "") throw badReply("a reply needs at least one line");
  return wire;
}

/** The same reply, for where RFC 2034 section 4 wants no enhanced code: the greeting, EHLO and HELO. */
export function withoutEnhanced(reply: Reply): Reply {
  return reply.enhanced === undefined ? reply : { code: reply.code, lines: reply.lines };
}

/** One line of a reply, its CRLF taken off. */
export interface ReplyLine {
  readonly code: number;
  /** The last line of its reply. */
  readonly last: boolean;
  readonly text: string;
}

/**
 * Parses one line of a reply (latin1); `undefined` when it is none. Real servers do not keep to the grammar: any two digits may
 * follow the first, as in 571, and a text in UTF-8 is read as such. Control characters become "?", but for tabs.
 */
export function parseReplyLine(line: string): ReplyLine | undefined {
  const match = /^([2-5][0-9][0-9])(?:([ -])(.*))?$/.exec(line);
  if (match === null) return undefined;
  return { code: Number(match[1]), last: match[2] !== "-", text: readText(match[3] ?? "") };
}

function readText(latin1: string): string {
  if (/^[\t -~]*$/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, "latin1");
  const text = isUtf8(bytes) ? bytes.toString() : latin1;
  return text.replaceAll(/[^\P{Cc}\t]/gu, "?");
}

/** Makes a reply out of its lines, the inverse of `formatReply`. An enhanced code is taken off every line. */
export function joinReplyLines(code: number, texts: readonly [string, ...string[]]): Reply {
  const word = texts[0].split(" ", 1)[0] ?? "";
  if (!isEnhanced(word, code)) return { code, lines: texts };
  const strip = (text: string): string => (text.startsWith(`${word} `) ? text.slice(word.length + 1) : text);
  const [first, ...rest] = texts;
  return { code, enhanced: word, lines: [strip(first), ...rest.map(strip)] };
}

/** RFC 3463 section 2, its class tied to the reply code. */
function isEnhanced(text: string, code: number): boolean {
  return /^[245]\.[0-9]{1,3}\.[0-9]{1,3}$/.test(text) && text.charCodeAt(0) === 48 + Math.floor(code / 100);
}

function badReply(message: string): SmtpError {
  return new SmtpError("bad-reply", message, { blame: "local" });
}
