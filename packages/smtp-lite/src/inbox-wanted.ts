// Which message a test waits for. It knows when one fits, and how to say what was wanted; it keeps none.
import { matchesAddress, matchesText } from "./address-pattern.ts";
import type { AddressPattern } from "./address-pattern.ts";
import { badArgument } from "./errors.ts";
import type { InboxMessage } from "./inbox-message.ts";

/** Which message to wait for: one for which all that is given holds. Texts must be equal, regular expressions fit. */
export interface NextMessage {
  /** A recipient of the envelope; those in the header do not count. */
  readonly to?: AddressPattern | undefined;
  /** The sender of the envelope; `null` for `<>`. */
  readonly from?: AddressPattern | null | undefined;
  /** The decoded subject. */
  readonly subject?: string | RegExp | undefined;
  /** Only messages behind this cursor: `inbox.cursor` for those that are yet to come. Default: 0, any. */
  readonly after?: number | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait, in milliseconds; `Infinity` for ever. Default: 4000, less than the 5 s of most test runners. */
  readonly timeout?: number | undefined;
}

/** @throws SmtpError `bad-argument` */
export function checkWanted({ after = 0, timeout = 0 }: NextMessage): void {
  if (!(after >= 0)) throw badArgument("`after` is no cursor");
  if (!(timeout >= 0)) throw badArgument("`timeout` is no number of milliseconds");
}

export function fits(message: InboxMessage, { to, from, subject, after = 0 }: NextMessage): boolean {
  return (
    message.cursor > after &&
    (to === undefined || message.envelope.to.some((path) => matchesAddress(to, path))) &&
    (from === undefined || matchesAddress(from, message.envelope.from)) &&
    (subject === undefined || matchesText(subject, message.subject))
  );
}

/** What was wanted, for an error: `to "bob@example.com", subject /hello/`. */
export function describeWanted({ to, from, subject, after }: NextMessage): string {
  const conditions = Object.entries({ to, from, subject, after }).filter(([, value]) => value !== undefined);
  if (conditions.length === 0) return "at all";
  return conditions
    .map(([name, value]) => `${name} ${value instanceof RegExp ? String(value) : JSON.stringify(value)}`)
    .join(", ");
}
