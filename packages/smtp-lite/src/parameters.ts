// ESMTP parameters behind the address of MAIL and RCPT, RFC 5321 section 4.1.1.11. It knows the keywords offered.
//
//   Mail-parameters = esmtp-param *(SP esmtp-param)
//   esmtp-param     = esmtp-keyword ["=" esmtp-value]
//   esmtp-keyword   = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
//   esmtp-value     = 1*(%d33-60 / %d62-126)
//   SIZE            = "SIZE=" 1*20DIGIT                     ; RFC 1870 section 5
//   BODY            = "BODY=" ("7BIT" / "8BITMIME")         ; RFC 6152 section 2
import { SmtpError } from "./errors.ts";

/** RFC 6152: what kind of bytes the client says the body holds. Either way they are kept as they are. */
export type BodyType = "7BIT" | "8BITMIME";

export interface MailParameters {
  /** The size that the client declares, in bytes (RFC 1870). */
  readonly size: number | undefined;
  readonly body: BodyType;
}

/** Every MAIL without a parameter shares it. */
export const NO_PARAMETERS: MailParameters = { size: undefined, body: "7BIT" };

/**
 * Parses what stands behind the address of MAIL.
 * @param extended the client said EHLO: after HELO there are no parameters (RFC 5321 section 2.2.1).
 * @throws SmtpError `unknown-parameter` (555 5.5.4), `bad-parameter` (501 5.5.4)
 */
export function parseMailParameters(text: string, extended: boolean): MailParameters {
  let size: number | undefined;
  let body: BodyType | undefined;
  for (const { keyword, value } of splitParameters(text)) {
    if (!extended) throw unknown(keyword);
    switch (keyword) {
      case "SIZE":
        if (size !== undefined) throw bad("SIZE given twice");
        if (value === undefined || !/^[0-9]{1,20}$/.test(value)) throw bad("SIZE takes 1 to 20 digits");
        size = Number(value);
        break;
      case "BODY":
        if (body !== undefined) throw bad("BODY given twice");
        body = bodyType(value);
        break;
      default:
        throw unknown(keyword);
    }
  }
  return { size, body: body ?? "7BIT" };
}

/**
 * Parses what stands behind the address of RCPT: no parameter is offered, so every one is refused.
 * @throws SmtpError `unknown-parameter` (555 5.5.4), `bad-parameter` (501 5.5.4)
 */
export function parseRcptParameters(text: string): void {
  const [first] = splitParameters(text);
  if (first !== undefined) throw unknown(first.keyword);
}

/** ` SIZE=1000 BODY=8BITMIME`, with a leading space, or nothing. The inverse of `parseMailParameters`. */
export function formatMailParameters(parameters: MailParameters): string {
  const size = parameters.size === undefined ? "" : ` SIZE=${parameters.size}`;
  return parameters.body === "7BIT" ? size : `${size} BODY=${parameters.body}`;
}

interface Parameter {
  readonly keyword: string;
  readonly value: string | undefined;
}

function splitParameters(text: string): Parameter[] {
  return text.split(" ").map((word) => {
    const equals = word.indexOf("=");
    const keyword = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(keyword)) throw bad("a malformed parameter");
    if (value !== undefined && !/^[!-<>-~]+$/.test(value)) throw bad(`a malformed value for ${keyword}`);
    return { keyword: keyword.toUpperCase(), value };
  });
}

function bodyType(value: string | undefined): BodyType {
  const type = value?.toUpperCase();
  if (type === "7BIT" || type === "8BITMIME") return type;
  throw bad("BODY is 7BIT or 8BITMIME");
}

function bad(problem: string): SmtpError {
  return new SmtpError("bad-parameter", problem, {
    reply: { code: 501, enhanced: "5.5.4", lines: [`Bad parameter: ${problem}`] },
  });
}

function unknown(keyword: string): SmtpError {
  return new SmtpError("unknown-parameter", `parameter ${keyword} is not offered`, {
    reply: { code: 555, enhanced: "5.5.4", lines: [`Parameter ${keyword.slice(0, 64)} is not offered`] },
  });
}
