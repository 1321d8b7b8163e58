// The grammar of commands: lines to typed commands and back. It knows no state, no sockets, no time.
//
//   ehlo = "EHLO" SP ( Domain / address-literal ) CRLF            ; RFC 5321 section 4.1.1.1
//   helo = "HELO" SP Domain CRLF
//   mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF    ; 4.1.1.2
//   rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF      ; 4.1.1.3
//   data = "DATA" CRLF                                            ; 4.1.1.4
//   rset = "RSET" CRLF
//   vrfy = "VRFY" SP String CRLF
//   expn = "EXPN" SP String CRLF
//   help = "HELP" [ SP String ] CRLF
//   noop = "NOOP" [ SP String ] CRLF
//   quit = "QUIT" CRLF
//
// Verbs are taken in any case (2.4) and white space before CRLF is tolerated (4.1.1), as the RFC asks of receivers.
import type { Span } from "@tcpkit/core";
import type { Path } from "./address.ts";
import { formatPath, readPath } from "./address.ts";
import { SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import type { BodyType } from "./parameters.ts";
import {
  formatMailParameters,
  NO_PARAMETERS,
  parseMailParameters,
  parseRcptParameters,
} from "./parameters.ts";
import { lineTooLong } from "./violations.ts";

/** A command without where it stands. `message` is DATA: `data` is the name for the bytes that follow. */
export type Command =
  | { readonly type: "ehlo" | "helo"; readonly name: string }
  | {
      readonly type: "mail";
      readonly from: Path | null;
      readonly size: number | undefined;
      readonly body: BodyType;
    }
  | { readonly type: "rcpt"; readonly to: Path }
  | { readonly type: "message" | "rset" | "quit" }
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
  "STARTTLS AUTH BDAT ETRN ATRN TURN SEND SOML SAML LHLO BURL XCLIENT XFORWARD".split(" "),
);

/** A browser or a proxy that was pointed here, or at us by an attacker: not one byte more is worth reading. */
const HTTP_VERBS: ReadonlySet<string> = new Set(
  "GET POST PUT HEAD PATCH DELETE OPTIONS CONNECT TRACE PRI".split(" "),
);

/**
 * Parses a line (latin1, without CRLF) that stood at `[start, end)`.
 * @param extended the client said EHLO, so that parameters may follow an address.
 * @throws SmtpError with the reply for the client
 */
export function parseCommand(line: string, start: number, end: number, extended: boolean): ReceivedCommand {
  if (line.includes("\0")) {
    throw new SmtpError("bare-line-ending", "NUL in a command", {
      offset: start + line.indexOf("\0"),
      fatal: true,
      reply: { code: 500, enhanced: "5.5.2", lines: ["NUL in a command"] },
    });
  }
  const space = line.indexOf(" ");
  const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase();
  if (verb !== "MAIL" && end - start > GRAMMAR_LIMITS.commandLine) throw lineTooLong(start);
  switch (verb) {
    case "MAIL":
      return parseMail(line, start, end, extended);
    case "RCPT":
      return parseRcpt(line, start, end);
    case "EHLO":
      return { type: "ehlo", name: clientName(line), line, start, end };
    case "HELO":
      return { type: "helo", name: clientName(line), line, start, end };
    case "DATA":
      return { type: bare("message", line), line, start, end };
    case "RSET":
      return { type: bare("rset", line), line, start, end };
    case "QUIT":
      return { type: bare("quit", line), line, start, end };
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

/** A command as a line with its CRLF. The caller checks its strings: see `client-session.ts`. */
export function formatCommand(command: Command): string {
  switch (command.type) {
    case "ehlo":
    case "helo":
      return `${command.type.toUpperCase()} ${command.name}\r\n`;
    case "mail":
      return `MAIL FROM:${formatPath(command.from)}${formatMailParameters(command)}\r\n`;
    case "rcpt":
      return `RCPT TO:${formatPath(command.to)}\r\n`;
    case "message":
      return "DATA\r\n";
    case "rset":
      return "RSET\r\n";
    case "quit":
      return "QUIT\r\n";
    default: {
      const verb = command.type.toUpperCase();
      return command.text === "" ? `${verb}\r\n` : `${verb} ${command.text}\r\n`;
    }
  }
}

function parseMail(line: string, start: number, end: number, extended: boolean): ReceivedCommand {
  if (!/^FROM:/i.test(line.slice(5, 10))) throw syntax("Say MAIL FROM:<user@example.com>");
  const { path, end: after } = readPath(line, 10, "sender");
  const rest = parametersText(line, after);
  const { size, body } = rest === "" ? NO_PARAMETERS : parseMailParameters(rest, extended);
  return { type: "mail", from: path, size, body, line, start, end };
}

function parseRcpt(line: string, start: number, end: number): ReceivedCommand {
  if (!/^TO:/i.test(line.slice(5, 8))) throw syntax("Say RCPT TO:<user@example.com>");
  const { path, end: after } = readPath(line, 8, "recipient");
  const rest = parametersText(line, after);
  if (rest !== "") parseRcptParameters(rest);
  // The grammar lets no recipient be empty, but the type of a path does.
  if (path === null) throw syntax("Say RCPT TO:<user@example.com>");
  return { type: "rcpt", to: path, line, start, end };
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
  if (line.length > 4 && line.trimEnd().length > 4) {
    throw syntax(`${line.slice(0, 4).toUpperCase()} takes no argument`);
  }
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
