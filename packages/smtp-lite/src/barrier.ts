// What a client must do first: TLS, AUTH. It knows which commands wait for that, and the reply they get.
import type { Reply } from "./codes.ts";
import { replies } from "./replies.ts";
import type { SmtpEvent } from "./server-events.ts";
import type { Settings } from "./settings.ts";

/** What a client may say while something is required of it first; the rest gets `reply`. */
export interface Barrier {
  readonly open: ReadonlySet<SmtpEvent["type"]>;
  readonly reply: Reply;
}

/** RFC 3207 section 4. */
const NEEDS_TLS: Barrier = {
  open: new Set(["greeting", "ehlo", "lhlo", "noop", "quit", "starttls", "timeout", "shutdown", "error"]),
  reply: replies.needsTls,
};

/** RFC 4954 section 6. */
const NEEDS_AUTH: Barrier = {
  open: new Set([...NEEDS_TLS.open, "helo", "auth", "auth-response", "rset"]),
  reply: replies.needsAuth,
};

/** What this client still has to do. */
export function findBarrier(
  settings: Settings,
  encrypted: boolean,
  authenticated: boolean,
): Barrier | undefined {
  if (settings.requireTls && !encrypted) return NEEDS_TLS;
  if (settings.requireAuth && !authenticated) return NEEDS_AUTH;
  return undefined;
}
