// The grammar of commands, and commands as lines; lines as commands are command-parser.ts. It knows no state, no sockets.
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
import { formatPath } from "./address.ts";
import { isAscii } from "./characters.ts";
import type { MailParameters, Recipient } from "./parameter-types.ts";
import { formatMailParameters, formatRcptParameters } from "./parameters.ts";

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
