// Lines to commands, by the grammar of wire.ts. It knows no state, no sockets, no time.
import { needsUtf8, readPath } from "./address.ts";
import { isAscii } from "./characters.ts";
import type { Dialect } from "./dialect.ts";
import { SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import { parseMailParameters, parseRcptParameters } from "./parameters.ts";
import { NO_PARAMETERS } from "./parameter-types.ts";
import { decodeBase64 } from "./sasl/bytes.ts";
import { badAuth, lineTooLong, notSmtp, replyTo } from "./violations.ts";
import type { ReceivedCommand } from "./wire.ts";

/** Parses a line (latin1, without CRLF) that stood at `[start, end)`. */
type Parse = (line: string, start: number, end: number, dialect: Dialect) => ReceivedCommand;

interface Verb {
  readonly parse: Parse;
  /** How long its line may be, with its CRLF. */
  readonly longest: number;
}

const { mailLine, rcptLine, authLine, commandLine } = GRAMMAR_LIMITS;

/** Every verb that means something here. */
const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ["MAIL", { parse: parseMail, longest: mailLine }],
  ["RCPT", { parse: parseRcpt, longest: rcptLine }],
  ["AUTH", { parse: parseAuth, longest: authLine }],
  ["DATA", common((line, start, end) => ({ type: bare("message", line), line, start, end }))],
  ["BDAT", common(parseBdat)],
  ["EHLO", common(parseHello)],
  ["HELO", common(parseHello)],
  ["LHLO", common(parseHello)],
  ["RSET", common((line, start, end) => ({ type: bare("rset", line), line, start, end }))],
  ["QUIT", common((line, start, end) => ({ type: bare("quit", line), line, start, end }))],
  ["STARTTLS", common((line, start, end) => ({ type: bare("starttls", line), line, start, end }))],
  ["NOOP", common((line, start, end) => ({ type: "noop", text: line.slice(5), line, start, end }))],
  ["HELP", common((line, start, end) => ({ type: "help", text: line.slice(5), line, start, end }))],
  ["VRFY", common((line, start, end) => ({ type: "vrfy", text: argument(line), line, start, end }))],
  ["EXPN", common((line, start, end) => ({ type: "expn", text: argument(line), line, start, end }))],
]);

function common(parse: Parse): Verb {
  return { parse, longest: commandLine };
}

/** Verbs that exist, but not here: they get 502, unknown ones 500 (RFC 5321 section 4.2.4). */
const NOT_IMPLEMENTED: ReadonlySet<string> = new Set(
  "ETRN ATRN TURN SEND SOML SAML LHLO BURL XCLIENT XFORWARD".split(" "),
);

/** A browser or a proxy that was pointed here, or at us by an attacker: not one byte more is worth reading. */
const HTTP_VERBS: ReadonlySet<string> = new Set(
  "GET POST PUT HEAD PATCH DELETE OPTIONS CONNECT TRACE PRI".split(" "),
);

/** Whether a line that begins with this word is a request of HTTP. */
export function isHttp(word: string): boolean {
  return HTTP_VERBS.has(word.toUpperCase());
}

/**
 * Parses a line (latin1, without CRLF) that stood at `[start, end)`.
 * @throws SmtpError with the reply for the client
 */
export function parseCommand(text: string, start: number, end: number, dialect: Dialect): ReceivedCommand {
  const line = trimEnd(text);
  if (line.includes("\0")) {
    throw new SmtpError("bare-line-ending", "NUL in a command", {
      offset: start + line.indexOf("\0"),
      fatal: true,
      reply: replyTo(line.slice(0, 4), { code: 500, enhanced: "5.5.2", lines: ["NUL in a command"] }),
    });
  }
  const space = line.indexOf(" ");
  const word = space < 0 ? line : line.slice(0, space);
  // Nearly everybody writes them large.
  const verb = VERBS.get(word) ?? VERBS.get(word.toUpperCase());
  if (verb === undefined && isHttp(word)) throw notSmtp(start);
  if (end - start > (verb?.longest ?? commandLine)) throw lineTooLong(start, word);
  if (verb === undefined) throw unknownVerb(word.toUpperCase(), start);
  return verb.parse(line, start, end, dialect);
}

/** A line of an AUTH exchange. @throws SmtpError `bad-auth` (501 5.5.2) when it cancels, or is no base64. */
export function parseAuthResponse(line: string, start: number, end: number): ReceivedCommand {
  if (line === "*") throw badAuth("Cancelled, as you wish");
  return { type: "auth-response", response: base64(line), line, start, end };
}

/** Whoever cannot say how many octets follow leaves no way to find the next command: that is the end. */
function parseBdat(line: string, start: number, end: number): ReceivedCommand {
  const match = /^([0-9]{1,20})( LAST)?$/i.exec(line.slice(5));
  const size = Number(match?.[1]);
  if (match === null || !Number.isSafeInteger(size)) {
    const text = "Say BDAT and how many octets follow";
    const reply = { code: 501, enhanced: "5.5.4", lines: [text] } as const;
    throw new SmtpError("syntax", text, { fatal: true, reply });
  }
  return { type: "bdat", size, last: match[2] !== undefined, line, start, end };
}

function parseAuth(line: string, start: number, end: number): ReceivedCommand {
  const [, mechanism = "", initial, ...more] = line.split(" ");
  if (!/^[A-Za-z0-9_-]{1,20}$/.test(mechanism) || more.length > 0) throw syntax("Say AUTH and a mechanism");
  const response = initial === undefined ? undefined : base64(initial === "=" ? "" : initial);
  return { type: "auth", mechanism: mechanism.toUpperCase(), initial: response, line, start, end };
}

function base64(text: string): Buffer {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw badAuth("That is no base64");
  return bytes;
}

// That a keyword is written large is looked at first: it nearly always is, and a regular expression takes several times longer.
function parseMail(line: string, start: number, end: number, dialect: Dialect): ReceivedCommand {
  if (!line.startsWith("FROM:", 5) && !/^FROM:/i.test(line.slice(5, 10)))
    throw syntax("Say MAIL FROM:<user@example.com>");
  // Whether UTF-8 may stand in the address is said behind it.
  const ascii = isAscii(line);
  const { path, end: after } = readPath(line, 10, "sender", dialect.extended && !ascii);
  const rest = parametersText(line, after);
  const parameters = rest === "" ? NO_PARAMETERS : parseMailParameters(rest, dialect);
  if (!ascii && !parameters.utf8) throw needsUtf8();
  return { ...parameters, type: "mail", from: path, line, start, end };
}

function parseRcpt(line: string, start: number, end: number, dialect: Dialect): ReceivedCommand {
  if (!line.startsWith("TO:", 5) && !/^TO:/i.test(line.slice(5, 8)))
    throw syntax("Say RCPT TO:<user@example.com>");
  const { path, end: after } = readPath(line, 8, "recipient", dialect.utf8);
  const rest = parametersText(line, after);
  // The grammar lets no recipient be empty, but the type of a path does.
  if (path === null) throw syntax("Say RCPT TO:<user@example.com>");
  const to = rest === "" ? path : parseRcptParameters(rest, path, dialect);
  return { type: "rcpt", to, line, start, end };
}

function parametersText(line: string, at: number): string {
  if (at === line.length) return "";
  if (line[at] !== " ") throw syntax("Something stands right behind the address");
  return line.slice(at + 1);
}

/** EHLO and HELO, or in LMTP LHLO instead (RFC 2033 section 4.1). */
function parseHello(line: string, start: number, end: number, { lmtp }: Dialect): ReceivedCommand {
  const verb = line.slice(0, 4).toUpperCase();
  if (lmtp !== (verb === "LHLO")) throw unknownVerb(verb, start);
  const type = lmtp ? "lhlo" : verb === "EHLO" ? "ehlo" : "helo";
  return { type, name: clientName(line), line, start, end };
}

/** The argument of EHLO and HELO. Names that are no domain are let in: section 4.1.4 forbids refusing over them. */
function clientName(line: string): string {
  const name = line.slice(5);
  if (name === "" || name.length > GRAMMAR_LIMITS.domain || !/^[!-~]+$/.test(name)) {
    const verb = line.slice(0, 4).toUpperCase();
    const text = `Say ${verb} and your host name`;
    const reply = replyTo(verb, { code: 501, enhanced: "5.5.4", lines: [text] });
    throw new SmtpError("syntax", text, { reply });
  }
  return name;
}

function bare<Type extends string>(type: Type, line: string): Type {
  const space = line.indexOf(" ");
  if (space >= 0) throw syntax(`${line.slice(0, space).toUpperCase()} takes no argument`);
  return type;
}

function argument(line: string): string {
  const text = line.slice(5).replace(/^[ \t]+/, "");
  if (text === "") throw syntax(`${line.slice(0, 4).toUpperCase()} needs an argument`);
  return text;
}

/** Without the white space at its end: SP and HTAB. Others, such as U+00A0, may be one byte of a character here. */
function trimEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line.charCodeAt(end - 1) === 0x20 || line.charCodeAt(end - 1) === 0x09)) end--;
  return line.slice(0, end);
}

function syntax(text: string): SmtpError {
  return new SmtpError("syntax", text, { reply: { code: 501, enhanced: "5.5.4", lines: [text] } });
}

function unknownVerb(verb: string, offset: number): SmtpError {
  if (NOT_IMPLEMENTED.has(verb)) {
    return new SmtpError("not-implemented", `${verb} is not offered`, {
      offset,
      reply: { code: 502, enhanced: "5.5.1", lines: [`${verb} is not offered`] },
    });
  }
  return new SmtpError("unknown-command", "an unknown command", {
    offset,
    reply: { code: 500, enhanced: "5.5.2", lines: ["Unknown command"] },
  });
}
