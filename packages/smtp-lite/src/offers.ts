// What EHLO lists. It knows the keywords of extensions, and what is in force for whom.
import type { SmtpLimits } from "./limits.ts";
import type { Settings } from "./settings.ts";

/** What of a server's settings its clients can see. */
export type Offering = Omit<Settings, "welcome" | "pending" | "report">;

/** The keywords that EHLO lists: what is in force for this client. */
export function offers(offering: Offering, encrypted: boolean): readonly [string, ...string[]] {
  const { limits, starttls, hooks, mechanisms } = offering;
  const offered: [string, ...string[]] = ["PIPELINING", `SIZE ${size(limits)}`, "8BITMIME", "SMTPUTF8"];
  offered.push("ENHANCEDSTATUSCODES", "CHUNKING", "BINARYMIME", "DSN");
  const bounds = enforced(limits);
  if (bounds.length > 0) offered.push(`LIMITS ${bounds.join(" ")}`);
  // RFC 8689 section 2: whoever promises to go on by TLS has it already.
  if (encrypted) offered.push("REQUIRETLS");
  if (starttls !== undefined && !encrypted) offered.push("STARTTLS");
  if (hooks.onAuth !== undefined && mayAuthenticate(offering, encrypted))
    offered.push(`AUTH ${mechanisms.join(" ")}`);
  return offered;
}

/** RFC 1870 section 3: 0 says that there is no bound. */
function size({ messageSize }: SmtpLimits): number {
  return messageSize === Infinity ? 0 : messageSize;
}

/** RFC 9422 section 4: limits that are enforced, and no others. The numbers have six digits at most: larger ones go unsaid. */
function enforced({ recipients, messages }: SmtpLimits): string[] {
  const bounds: string[] = [];
  if (recipients < 1_000_000) bounds.push(`RCPTMAX=${recipients}`);
  if (messages < 1_000_000) bounds.push(`MAILMAX=${messages}`);
  return bounds;
}

/** RFC 4954 section 4: no password in the clear, unless the owner says so. */
export function mayAuthenticate(
  { allowInsecureAuth }: Pick<Settings, "allowInsecureAuth">,
  encrypted: boolean,
): boolean {
  return allowInsecureAuth || encrypted;
}
