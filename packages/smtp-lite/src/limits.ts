// Every bound of the package, with its reason. RFC 5321 section 4.5.3.1 says what must at least be accepted.
import { badArgument } from "./errors.ts";

/** Lengths of the grammar, in bytes. These are not options: a longer address reaches nobody. */
export const GRAMMAR_LIMITS = {
  /** Section 4.5.3.1.1, as written, with quotes. */
  localPart: 64,
  /** Section 4.5.3.1.2. */
  domain: 255,
  /** RFC 1035 section 2.3.4. */
  label: 63,
  /** Section 4.5.3.1.3: with brackets and everything between them, a source route too. */
  path: 256,
  /** Section 4.5.3.1.4: a command with its CRLF. */
  commandLine: 512,
  /**
   * MAIL may be longer than 512 by SIZE: 26 (RFC 1870 section 3), BODY: 17 (RFC 6152 section 2), AUTH: 500 (RFC 4954 section 3),
   * SMTPUTF8: 10 (RFC 6531 section 3.1), RET and ENVID: 128, REQUIRETLS: 11 (RFC 8689 section 2).
   */
  mailLine: 1204,
  /** RCPT may be longer than 512 by NOTIFY: 28, and ORCPT: 507 (RFC 3461 section 4). */
  rcptLine: 1047,
  /** RFC 3461 section 4.4: ENVID, in xtext. */
  envelopeId: 100,
  /** RFC 3461 section 4.2: ORCPT, its type and a semicolon too, in xtext. */
  originalRecipient: 500,
  /** RFC 4954 section 4: a line of an AUTH exchange, the command too, with its CRLF. */
  authLine: 12_288,
  /** A line of a reply may have 512 bytes by section 4.5.3.1.5; real servers write longer ones. */
  replyLine: 2048,
  /** Lines in one reply: EHLO lists a few dozen; a server that never stops must not fill our memory. */
  replyLines: 256,
} as const;

/** Each a whole number, or `Infinity` for no bound. */
export interface SmtpLimits {
  /**
   * Largest message in bytes, dots taken off. EHLO announces it as SIZE (RFC 1870). Memory does not depend on it,
   * since a body is streamed; disks do. Default: 26,214,400 (25 MiB).
   */
  readonly messageSize: number;
  /**
   * Longest line of a message in bytes, its CRLF included and a stuffed dot not. RFC 5321 section 4.5.3.1.6 wants
   * 1000; a message with a longer one is read to its end and refused, 500 5.5.2. `Infinity` takes any. Default: 1000.
   */
  readonly textLine: number;
  /** Recipients of one message. RFC 5321 section 4.5.3.1.8 wants at least 100. Default: 100. */
  readonly recipients: number;
  /** Messages of one connection; the client is told to open another. Default: `Infinity`. */
  readonly messages: number;
  /**
   * The least bytes a second of a message that a client may send, after its first minute; slower ones hear 421. Time that
   * `onMessage` needs does not count. Default: 100.
   */
  readonly dataRate: number;
  /** The bad command that ends the connection: scanners send many, real clients none. Default: 10. */
  readonly badCommands: number;
  /** Received lines with which a message counts as looping (RFC 5321 section 6.3). Default: 100. */
  readonly receivedLines: number;
}

export const DEFAULT_LIMITS: SmtpLimits = Object.freeze({
  messageSize: 25 * 1024 * 1024,
  textLine: 1000,
  recipients: 100,
  messages: Infinity,
  dataRate: 100,
  badCommands: 10,
  receivedLines: 100,
});

const NAMES = Object.keys(DEFAULT_LIMITS) as readonly (keyof SmtpLimits)[];

/** In EHLO a 0 of the first three would mean something else, or nothing (RFC 1870 section 3, RFC 9422 section 4). */
const LEAST: Readonly<Record<keyof SmtpLimits, number>> = {
  messageSize: 1,
  recipients: 1,
  messages: 1,
  textLine: 2,
  dataRate: 0,
  badCommands: 1,
  receivedLines: 1,
};

/**
 * Limits with the default ones where none are given, or `undefined` is. They are a copy: what happens to `limits` later does not
 * change them.
 * @throws SmtpError `bad-argument` for one that is no whole number, or too small to mean anything, nor `Infinity`.
 */
export function withDefaults(limits: Partial<SmtpLimits> = DEFAULT_LIMITS): SmtpLimits {
  const all: { -readonly [Name in keyof SmtpLimits]: SmtpLimits[Name] } = { ...DEFAULT_LIMITS };
  for (const name of NAMES) {
    const limit = limits[name] ?? DEFAULT_LIMITS[name];
    const least = LEAST[name];
    if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= least)) {
      const message = `\`limits.${name}\` is a whole number from ${least} on, or Infinity, not ${String(limit)}`;
      throw badArgument(message);
    }
    all[name] = limit;
  }
  return all;
}
