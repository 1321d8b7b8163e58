// What EHLO lists. It knows the keywords of extensions, and what is in force for whom.
import type { SmtpLimits } from "./limits.ts";
import type { Settings } from "./settings.ts";

/** What of a server's settings its clients can see. */
export type Offering = Omit<Settings, "welcome" | "pending" | "report">;

/** The keywords that EHLO lists: what is in force for this client. */
export function offers(offering: Offering, encrypted: boolean): readonly [string, ...string[]] {
  const { limits, starttls, hooks, mechanisms } = offering;
  const offered: [string, ...string[]] = ["PIPELINING", `SIZE ${limits.messageSize}`, "8BITMIME", "SMTPUTF8"];
  offered.push("ENHANCEDSTATUSCODES", "CHUNKING", "BINARYMIME", "DSN", `LIMITS ${enforced(limits)}`);
  // RFC 8689 section 2: whoever promises to go on by TLS has it already.
  if (encrypted) offered.push("REQUIRETLS");
  if (starttls !== undefined && !encrypted) offered.push("STARTTLS");
  if (hooks.onAuth !== undefined && mayAuthenticate(offering, encrypted))
    offered.push(`AUTH ${mechanisms.join(" ")}`);
  return offered;
}

/** RFC 9422 section 4: limits that are enforced, and no others. */
function enforced({ recipients, messages }: SmtpLimits): string {
  return `RCPTMAX=${recipients}${messages === Infinity ? "" : ` MAILMAX=${messages}`}`;
}

/** RFC 4954 section 4: no password in the clear, unless the owner says so. */
export function mayAuthenticate(
  { allowInsecureAuth }: Pick<Settings, "allowInsecureAuth">,
  encrypted: boolean,
): boolean {
  return allowInsecureAuth || encrypted;
}
