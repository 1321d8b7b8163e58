// What a client must do first: TLS, AUTH. It knows which commands wait for that, and what they hear until then.
import type { Reply } from "./codes.ts";
import { SmtpError } from "./errors.ts";
import { replies } from "./replies.ts";
import type { Move } from "./state.ts";
import { replyTo } from "./violations.ts";

/** What a server requires of its clients. */
export interface Requirements {
  /** TLS before all else. */
  readonly tls: boolean;
  /** AUTH before mail. */
  readonly auth: boolean;
}

/** How far a client has come with it. */
interface Proved {
  readonly secure: boolean;
  readonly authenticated: boolean;
}

/** RFC 3207 section 4: what may be said before TLS. */
const BEFORE_TLS: ReadonlySet<Move> = new Set<Move>(["ehlo", "lhlo", "noop", "quit", "starttls"]);

/** RFC 4954 section 6: what may be said before AUTH. */
const BEFORE_AUTH: ReadonlySet<Move> = new Set<Move>([...BEFORE_TLS, "helo", "auth", "rset"]);

/** Why this command has to wait, if it has to. It is no bad command: whoever pipelines cannot know. */
export function barred(
  move: Move,
  { secure, authenticated }: Proved,
  { tls, auth }: Requirements,
): SmtpError | undefined {
  if (tls && !secure && !BEFORE_TLS.has(move)) return tooSoon(move, "before TLS", replies.needsTls);
  if (auth && !authenticated && !BEFORE_AUTH.has(move))
    return tooSoon(move, "before AUTH", replies.needsAuth);
  return undefined;
}

function tooSoon(move: Move, when: string, reply: Reply): SmtpError {
  return new SmtpError("bad-sequence", `a command ${when}`, { reply: replyTo(move, reply) });
}
