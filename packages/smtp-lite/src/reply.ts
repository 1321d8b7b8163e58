// Replies: values to bytes and back, and the ready-made ones. It knows RFC 5321 section 4.2; it knows no commands.
//
//   Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
//   Reply-code = %x32-35 %x30-35 %x30-39
//   textstring = 1*(%d09 / %d32-126)
//
// RFC 2034 section 4: an enhanced code opens the text of every line of a 2xx, 4xx or 5xx reply, except that to
// EHLO and the greeting, and its class is the first digit of the reply code.
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
  return readyMade.get(reply) ?? format(reply);
}

function format(reply: Reply): string {
  const { code, enhanced, lines } = reply;
  if (!Number.isInteger(code) || code < 200 || code > 599) throw badReply(`${code} is not a reply code`);
  if (enhanced !== undefined && !isEnhanced(enhanced, code)) {
    throw badReply(`enhanced code ${JSON.stringify(enhanced)} does not fit reply code ${code}`);
  }
  const prefix = enhanced === undefined ? "" : `${enhanced} `;
  const last = lines.length - 1;
  let wire = "";
  for (const [index, line] of lines.entries()) {
    if (!/^[\t -~]*$/.test(line))
      throw badReply(`a reply line is not printable ASCII: ${JSON.stringify(line)}`);
    wire += `${code}${index < last ? "-" : " "}${prefix}${line}\r\n`;
  }
  if (wire === "") throw badReply("a reply needs at least one line");
  return wire;
}

/** One line of a reply, its CRLF taken off. */
export interface ReplyLine {
  readonly code: number;
  /** The last line of its reply. */
  readonly last: boolean;
  readonly text: string;
}

/** Parses one line of a reply; `undefined` when it is none. Bytes over 127 are let in: servers send UTF-8 here. */
export function parseReplyLine(line: string): ReplyLine | undefined {
  const match = /^([2-5][0-5][0-9])(?:([ -])(.*))?$/.exec(line);
  if (match === null) return undefined;
  return { code: Number(match[1]), last: match[2] !== "-", text: match[3] ?? "" };
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

export type ReplyName =
  | "senderOk"
  | "recipientOk"
  | "startMail"
  | "ok"
  | "startTls"
  | "noTls"
  | "needsTls"
  | "authenticated"
  | "authRefused"
  | "authFailedForNow"
  | "badAuth"
  | "noAuth"
  | "noMechanism"
  | "needsTlsToAuth"
  | "needsAuth"
  | "bye"
  | "cannotVerify"
  | "noExpand"
  | "help"
  | "shuttingDown"
  | "timedOut"
  | "tooManyRecipients"
  | "tooSlow"
  | "tooManyMessages"
  | "tooBig"
  | "mailLoop"
  | "noSpace"
  | "localError";

/** Replies that never change, made once. */
export const replies: Readonly<Record<ReplyName, Reply>> = {
  senderOk: { code: 250, enhanced: "2.1.0", lines: ["Sender ok"] },
  recipientOk: { code: 250, enhanced: "2.1.5", lines: ["Recipient ok"] },
  startMail: { code: 354, lines: ["End data with <CR><LF>.<CR><LF>"] },
  ok: { code: 250, enhanced: "2.0.0", lines: ["Ok"] },
  startTls: { code: 220, enhanced: "2.0.0", lines: ["Begin TLS"] },
  noTls: { code: 454, enhanced: "4.7.0", lines: ["TLS is not available here"] },
  needsTls: { code: 530, enhanced: "5.7.0", lines: ["Say STARTTLS first"] },
  authenticated: { code: 235, enhanced: "2.7.0", lines: ["Authenticated"] },
  authRefused: { code: 535, enhanced: "5.7.8", lines: ["Wrong user name, password or token"] },
  authFailedForNow: {
    code: 454,
    enhanced: "4.7.0",
    lines: ["Cannot tell who you are just now, try again later"],
  },
  badAuth: { code: 501, enhanced: "5.5.2", lines: ["That is no message of this mechanism"] },
  noAuth: { code: 502, enhanced: "5.5.1", lines: ["AUTH is not offered"] },
  noMechanism: { code: 504, enhanced: "5.5.4", lines: ["Unknown mechanism"] },
  needsTlsToAuth: { code: 538, enhanced: "5.7.11", lines: ["Encryption required: say STARTTLS first"] },
  needsAuth: { code: 530, enhanced: "5.7.0", lines: ["Authentication required: say AUTH first"] },
  bye: { code: 221, enhanced: "2.0.0", lines: ["Bye"] },
  cannotVerify: { code: 252, enhanced: "2.5.0", lines: ["Cannot verify, but will take a message and try"] },
  noExpand: { code: 502, enhanced: "5.5.1", lines: ["EXPN is not offered"] },
  help: {
    code: 214,
    enhanced: "2.0.0",
    lines: ["EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT", "See RFC 5321"],
  },
  shuttingDown: { code: 421, enhanced: "4.3.2", lines: ["The server is shutting down, try again later"] },
  timedOut: { code: 421, enhanced: "4.4.2", lines: ["Timed out waiting for you"] },
  tooManyRecipients: { code: 452, enhanced: "4.5.3", lines: ["Too many recipients, send the rest apart"] },
  tooSlow: { code: 421, enhanced: "4.4.2", lines: ["You send too slowly"] },
  tooManyMessages: {
    code: 452,
    enhanced: "4.5.3",
    lines: ["Too many messages on one connection, open another"],
  },
  tooBig: { code: 552, enhanced: "5.3.4", lines: ["The message is too big"] },
  mailLoop: {
    code: 554,
    enhanced: "5.4.6",
    lines: ["Too many Received lines: this mail is going in circles"],
  },
  noSpace: { code: 452, enhanced: "4.3.1", lines: ["No space left, try again later"] },
  /** A hook failed: our fault, so the client keeps the message and tries again. */
  localError: { code: 451, enhanced: "4.3.0", lines: ["Local error, try again later"] },
};

/** Their bytes, made once: most of what a server says are these. */
const readyMade: ReadonlyMap<Reply, string> = new Map(
  Object.values(replies).map((reply) => [reply, format(reply)]),
);
