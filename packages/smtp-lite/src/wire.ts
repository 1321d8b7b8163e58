// The grammar of commands: lines to typed commands and back. It knows no state, no sockets, no time.
//
//   ehlo = "EHLO" SP ( Domain / address-literal ) CRLF            ; RFC 5321 section 4.1.1.1
//   helo = "HELO" SP Domain CRLF
//   lhlo = "LHLO" SP Domain CRLF                                  ; RFC 2033 section 4.1, in LMTP instead of both
//   mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF    ; 4.1.1.2
//   rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF      ; 4.1.1.3
//   data = "DATA" CRLF                                            ; 4.1.1.4
//   bdat = "BDAT" SP 1*DIGIT [SP "LAST"] CRLF                     ; RFC 3030 section 2; so many octets follow
//   rset = "RSET" CRLF
//   vrfy = "VRFY" SP String CRLF
//   expn = "EXPN" SP String CRLF
//   help = "HELP" [ SP String ] CRLF
//   noop = "NOOP" [ SP String ] CRLF
//   quit = "QUIT" CRLF
//   auth = "AUTH" SP sasl-mech [SP initial-response] CRLF         ; RFC 4954 section 8
//   auth-response = ( base64 / "" / "*" ) CRLF
//   initial-response = base64 / "="
//   sasl-mech = 1*20 ( UPPER-ALPHA / DIGIT / "-" / "_" )
//   starttls = "STARTTLS" CRLF                                    ; RFC 3207 section 4
//
// Verbs are taken in any case (2.4) and white space before CRLF is tolerated (4.1.1), as the RFC asks of receivers.
import type { Span } from "@tcpkit/core";
import type { Path } from "./address.ts";
import { formatPath, isAscii, needsUtf8, readPath } from "./address.ts";
import type { Dialect } from "./dialect.ts";
import { SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import type { MailParameters, Recipient } from "./parameters.ts";
import {
  formatMailParameters,
  formatRcptParameters,
  NO_PARAMETERS,
  parseMailParameters,
  parseRcptParameters,
} from "./parameters.ts";
import { decodeBase64 } from "./sasl/bytes.ts";
import { badAuth, lineTooLong } from "./violations.ts";

/** A command without where it stands. `message` is DATA: `data` is the name for the bytes that follow. */
export type Command =
  | { readonly type: "ehlo" | "helo" | "lhlo"; readonly name: string }
  | ({
      readonly type: "mail";
      readonly from: Path | null;
    } & MailParameters)
  | { readonly type: "rcpt"; readonly to: Recipient }
  | { readonly type: "message" | "rset" | "quit" | "starttls" }
  /** BDAT: the next chunk of a message, of `size` octets. */
  | { readonly type: "bdat"; readonly size: number; readonly last: boolean }
  /** `initial` is the client's first message, which may be empty; `undefined`: it sent none. */
  | { readonly type: "auth"; readonly mechanism: string; readonly initial: Buffer | undefined }
  /** A line of an AUTH exchange. `undefined` cancels it: `*`. */
  | { readonly type: "auth-response"; readonly response: Buffer | undefined }
  | { readonly type: "vrfy" | "expn"; readonly text: string }
  | { readonly type: "help" | "noop"; readonly text: string };

/** What is common to all commands that were read: their line without CRLF (latin1), and where it stood. */
export interface Received extends Span {
  readonly line: string;
}

/** A command as it was received. */
export type ReceivedCommand = Command & Received;

/** Verbs that exist, but not here: they get 502, unknown ones 500 (RFC 5321 section 4.2.4). */
const NOT_IMPLEMENTED: ReadonlySet<string> = new Set(
  "ETRN ATRN TURN SEND SOML SAML LHLO BURL XCLIENT XFORWARD".split(" "),
);

/** A browser or a proxy that was pointed here, or at us by an attacker: not one byte more is worth reading. */
const HTTP_VERBS: ReadonlySet<string> = new Set(
  "GET POST PUT HEAD PATCH DELETE OPTIONS CONNECT TRACE PRI".split(" "),
);

/**
 * Parses a line (latin1, without CRLF) that stood at `[start, end)`.
 * @throws SmtpError with the reply for the client
 */
export function parseCommand(line: string, start: number, end: number, dialect: Dialect): ReceivedCommand {
  if (line.includes("\0")) {
    throw new SmtpError("bare-line-ending", "NUL in a command", {
      offset: start + line.indexOf("\0"),
      fatal: true,
      reply: { code: 500, enhanced: "5.5.2", lines: ["NUL in a command"] },
    });
  }
  const space = line.indexOf(" ");
  const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
  if (end - start > longestLine(verb)) throw lineTooLong(start);
  switch (verb) {
    case "MAIL":
      return parseMail(line, start, end, dialect);
    case "RCPT":
      return parseRcpt(line, start, end, dialect);
    case "LHLO":
      if (!dialect.lmtp) throw unknownVerb(verb, start);
      return { type: "lhlo", name: clientName(line), line, start, end };
    case "EHLO":
      if (dialect.lmtp) throw unknownVerb(verb, start);
      return { type: "ehlo", name: clientName(line), line, start, end };
    case "HELO":
      if (dialect.lmtp) throw unknownVerb(verb, start);
      return { type: "helo", name: clientName(line), line, start, end };
    case "DATA":
      return { type: bare("message", line), line, start, end };
    case "RSET":
      return { type: bare("rset", line), line, start, end };
    case "QUIT":
      return { type: bare("quit", line), line, start, end };
    case "BDAT":
      return parseBdat(line, start, end);
    case "AUTH":
      return parseAuth(line, start, end);
    case "STARTTLS":
      return { type: bare("starttls", line), line, start, end };
    case "NOOP":
      return { type: "noop", text: line.slice(5), line, start, end };
    case "HELP":
      return { type: "help", text: line.slice(5), line, start, end };
    case "VRFY":
      return { type: "vrfy", text: argument(line), line, start, end };
    case "EXPN":
      return { type: "expn", text: argument(line), line, start, end };
    default:
      throw unknownVerb(verb, start);
  }
}

/** A command as a line with its CRLF. The caller checks its strings: see `client-side.ts`. */
export function formatCommand(command: Command): string {
  switch (command.type) {
    case "ehlo":
    case "helo":
    case "lhlo":
      return `${command.type.toUpperCase()} ${command.name}\r\n`;
    case "mail":
      return `MAIL FROM:${wirePath(command.from)}${formatMailParameters(command)}\r\n`;
    case "rcpt":
      return `RCPT TO:${wirePath(command.to)}${formatRcptParameters(command.to)}\r\n`;
    case "message":
      return "DATA\r\n";
    case "rset":
      return "RSET\r\n";
    case "quit":
      return "QUIT\r\n";
    case "starttls":
      return "STARTTLS\r\n";
    case "bdat":
      return `BDAT ${command.size}${command.last ? " LAST" : ""}\r\n`;
    case "auth": {
      const initial = command.initial === undefined ? "" : ` ${command.initial.toString("base64") || "="}`;
      return `AUTH ${command.mechanism}${initial}\r\n`;
    }
    case "auth-response":
      return `${command.response?.toString("base64") ?? "*"}\r\n`;
    default: {
      const verb = command.type.toUpperCase();
      return command.text === "" ? `${verb}\r\n` : `${verb} ${command.text}\r\n`;
    }
  }
}

/** A path as bytes of UTF-8, one a character. */
function wirePath(path: Path | null): string {
  const text = formatPath(path);
  return isAscii(text) ? text : Buffer.from(text).toString("latin1");
}

/** A line of an AUTH exchange. @throws SmtpError `bad-auth` (501 5.5.2) when it cancels, or is no base64. */
export function parseAuthResponse(line: string, start: number, end: number): ReceivedCommand {
  if (line === "*") throw badAuth("Cancelled, as you wish");
  return { type: "auth-response", response: base64(line), line, start, end };
}

/** Whoever cannot say how many octets follow leaves no way to find the next command: that is the end. */
function parseBdat(line: string, start: number, end: number): ReceivedCommand {
  const match = /^([0-9]{1,20})( LAST)?$/i.exec(line.slice(5).trimEnd());
  const size = Number(match?.[1]);
  if (match === null || !Number.isSafeInteger(size)) {
    const text = "Say BDAT and how many octets follow";
    const reply = { code: 501, enhanced: "5.5.4", lines: [text] } as const;
    throw new SmtpError("syntax", text, { fatal: true, reply });
  }
  return { type: "bdat", size, last: match[2] !== undefined, line, start, end };
}

function parseAuth(line: string, start: number, end: number): ReceivedCommand {
  const [, mechanism = "", initial, ...more] = line.trimEnd().split(" ");
  if (!/^[A-Za-z0-9_-]{1,20}$/.test(mechanism) || more.length > 0) throw syntax("Say AUTH and a mechanism");
  const response = initial === undefined ? undefined : base64(initial === "=" ? "" : initial);
  return { type: "auth", mechanism: mechanism.toUpperCase(), initial: response, line, start, end };
}

function base64(text: string): Buffer {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw badAuth("That is no base64");
  return bytes;
}

function longestLine(verb: string): number {
  if (verb === "MAIL") return GRAMMAR_LIMITS.mailLine;
  if (verb === "RCPT") return GRAMMAR_LIMITS.rcptLine;
  return verb === "AUTH" ? GRAMMAR_LIMITS.authLine : GRAMMAR_LIMITS.commandLine;
}

function parseMail(line: string, start: number, end: number, dialect: Dialect): ReceivedCommand {
  if (!/^FROM:/i.test(line.slice(5, 10))) throw syntax("Say MAIL FROM:<user@example.com>");
  // Whether UTF-8 may stand in the address is said behind it.
  const ascii = isAscii(line);
  const { path, end: after } = readPath(line, 10, "sender", dialect.extended && !ascii);
  const rest = parametersText(line, after);
  const parameters = rest === "" ? NO_PARAMETERS : parseMailParameters(rest, dialect);
  if (!ascii && !parameters.utf8) throw needsUtf8();
  return { ...parameters, type: "mail", from: path, line, start, end };
}

function parseRcpt(line: string, start: number, end: number, dialect: Dialect): ReceivedCommand {
  if (!/^TO:/i.test(line.slice(5, 8))) throw syntax("Say RCPT TO:<user@example.com>");
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
  return line.slice(at + 1).trimEnd();
}

/** The argument of EHLO and HELO. Names that are no domain are let in: section 4.1.4 forbids refusing over them. */
function clientName(line: string): string {
  const name = line.slice(5).trimEnd();
  if (name === "" || name.length > GRAMMAR_LIMITS.domain || !/^[!-~]+$/.test(name)) {
    throw syntax(`Say ${line.slice(0, 4).toUpperCase()} and your host name`);
  }
  return name;
}

function bare<Type extends string>(type: Type, line: string): Type {
  const verb = line.trimEnd();
  const space = verb.indexOf(" ");
  if (space >= 0) throw syntax(`${verb.slice(0, space).toUpperCase()} takes no argument`);
  return type;
}

function argument(line: string): string {
  const text = line.slice(5).trim();
  if (text === "") throw syntax(`${line.slice(0, 4).toUpperCase()} needs an argument`);
  return text;
}

function syntax(text: string): SmtpError {
  return new SmtpError("syntax", text, { reply: { code: 501, enhanced: "5.5.4", lines: [text] } });
}

function unknownVerb(verb: string, offset: number): SmtpError {
  if (HTTP_VERBS.has(verb)) {
    return new SmtpError("other-protocol", "an HTTP request", {
      offset,
      fatal: true,
      reply: { code: 421, enhanced: "4.7.0", lines: ["This is SMTP, not HTTP"] },
    });
  }
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
