// The client's violations as errors: what each is called, what the client hears, and whether it can go on.
import type { TcpError } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import type { ContentProblem } from "./dot.ts";
import { SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import { replies } from "./replies.ts";
import { withoutEnhanced } from "./reply.ts";

const HELLO = /^(?:ehlo|helo|lhlo)$/i;

/** The reply to a command of this verb: RFC 2034 section 4 wants no enhanced code in those to EHLO and HELO. */
export function replyTo(verb: string, reply: Reply): Reply {
  return HELLO.test(verb) ? withoutEnhanced(reply) : reply;
}

/** The same error, with the offset of its command where it had none. */
export function locate(error: SmtpError, offset: number): SmtpError {
  return error.offset === undefined ? error.with({ offset }) : error;
}

/** The client's line in an AUTH exchange is none: `*`, which cancels, or no base64 (RFC 4954 section 4). */
export function badAuth(text: string): SmtpError {
  return new SmtpError("bad-auth", `AUTH: ${text}`, {
    reply: { code: 501, enhanced: "5.5.2", lines: [text] },
  });
}

/** What the framer found wrong in a line. `ofAuth`: it is one of an AUTH exchange. */
export function framingError(error: TcpError, ofAuth: boolean): SmtpError {
  const offset = error.offset ?? 0;
  if (error.code === "line-too-long") return ofAuth ? authLineTooLong(offset) : lineTooLong(offset);
  return new SmtpError("bare-line-ending", "a CR or LF that is not part of CRLF", {
    offset,
    fatal: true,
    reply: { code: 500, enhanced: "5.5.2", lines: ["Lines end with CRLF, and with nothing else"] },
    cause: error,
  });
}

export function contentError({ type, offset }: ContentProblem): SmtpError {
  if (type === "line-too-long") {
    return new SmtpError("line-too-long", "a line of the message is too long", {
      offset,
      reply: { code: 500, enhanced: "5.5.2", lines: ["A line of the message is too long"] },
    });
  }
  return new SmtpError("bare-line-ending-in-data", "the message has a CR or LF that is not part of CRLF", {
    offset,
    reply: { code: 550, enhanced: "5.5.2", lines: ["The message has a CR or LF that is not part of CRLF"] },
  });
}

export function tooBig(limit: number): SmtpError {
  return new SmtpError("message-too-big", `the message is bigger than ${limit} bytes`, {
    reply: replies.tooBig,
  });
}

export function tooManyErrors(offset: number): SmtpError {
  return new SmtpError("too-many-errors", "too many bad commands", {
    offset,
    fatal: true,
    reply: { code: 421, enhanced: "4.7.0", lines: ["Too many bad commands"] },
  });
}

export function incomplete(what: string): SmtpError {
  return new SmtpError("incomplete", `the client's side ended inside ${what}`, {
    fatal: true,
    reply: { code: 421, enhanced: "4.4.2", lines: [`Your side ended inside ${what}`] },
  });
}

/** The error of a command line without an end in sight, or of one of a `verb` that is known. */
export function lineTooLong(offset: number, verb: string = ""): SmtpError {
  return new SmtpError("line-too-long", "the command is too long", {
    offset,
    reply: replyTo(verb, { code: 500, enhanced: "5.5.2", lines: ["Line too long"] }),
  });
}

/** An HTTP request: a browser or a proxy that was pointed here. */
export function notSmtp(offset: number): SmtpError {
  return new SmtpError("other-protocol", "an HTTP request", {
    offset,
    fatal: true,
    reply: { code: 421, enhanced: "4.7.0", lines: ["This is SMTP, not HTTP"] },
  });
}

/** RFC 4954 section 4. */
function authLineTooLong(offset: number): SmtpError {
  return new SmtpError("line-too-long", `a line of AUTH is longer than ${GRAMMAR_LIMITS.authLine} bytes`, {
    offset,
    reply: { code: 500, enhanced: "5.5.6", lines: ["The line is too long"] },
  });
}

/** Bytes before our 220 or 354 (RFC 5321 section 4.3.1). */
export function earlyInput(offset: number): SmtpError {
  return new SmtpError("early-input", "the client did not wait for the reply", {
    offset,
    fatal: true,
    reply: { code: 554, enhanced: "5.5.0", lines: ["You must wait for the reply"] },
  });
}
