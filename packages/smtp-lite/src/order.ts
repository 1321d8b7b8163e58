// Whether a command may come now, by the table of state.ts and by what was said before; and what is said when it may not.
import { barred } from "./barrier.ts";
import type { Requirements } from "./barrier.ts";
import type { Reply } from "./codes.ts";
import type { Dialect } from "./dialect.ts";
import { SmtpError } from "./errors.ts";
import { stateAfter } from "./state.ts";
import type { Move, StateName } from "./state.ts";
import { replyTo } from "./violations.ts";

/** What of the conversation so far the table does not know. */
export interface Standing extends Dialect {
  /** AUTH has succeeded. */
  readonly authenticated: boolean;
  /** The message under way is BODY=BINARYMIME. */
  readonly binary: boolean;
}

/** Why a command may not come now, an error `bad-sequence`; `undefined`: it may. */
export function misplaced(
  move: Move,
  state: StateName,
  standing: Standing,
  required: Requirements,
): SmtpError | undefined {
  const { extended, secure, lmtp, authenticated, binary } = standing;
  // RFC 5321 section 3.1: to whoever was turned away, everything is out of order.
  const barrier = state === "unwelcome" ? undefined : barred(move, standing, required);
  if (barrier !== undefined) return barrier;
  // RFC 3207 section 4.2: once TLS is active, STARTTLS is out of order. RFC 4954 section 4: one AUTH a connection.
  if (move === "starttls" && secure) return outOfOrder("STARTTLS under TLS", "TLS is active already");
  if (move === "auth" && authenticated) return outOfOrder("a second AUTH", "You are authenticated already");
  if (!extended && EXTENSIONS.has(move)) return badSequence("greeted", move, lmtp);
  if (stateAfter(state, move) === undefined) return badSequence(state, move, lmtp);
  // RFC 3030 section 3: binary content has no lines, so no line can end it.
  if (move === "message" && binary) return outOfOrder("DATA for BINARYMIME", "BINARYMIME goes by BDAT");
  return undefined;
}

/** Commands of extensions: in force only once the client has said EHLO (RFC 5321 section 2.2.1). */
const EXTENSIONS: ReadonlySet<Move> = new Set<Move>(["starttls", "auth", "bdat"]);

function outOfOrder(what: string, text: string): SmtpError {
  return new SmtpError("bad-sequence", what, { reply: { code: 503, enhanced: "5.5.1", lines: [text] } });
}

function badSequence(state: StateName, move: Move, lmtp: boolean): SmtpError {
  if (state === "sender" && (move === "message" || move === "bdat")) {
    // RFC 2033 section 4.2 leaves no choice.
    const code = lmtp ? 503 : 554;
    const reply: Reply = { code, enhanced: "5.5.1", lines: ["No valid recipients"] };
    return new SmtpError("bad-sequence", "content without a recipient", { reply });
  }
  const advice = {
    opening: "Wait for the greeting",
    unwelcome: "Not here: say QUIT",
    greeted: lmtp ? "Say LHLO first" : "Say EHLO first",
    securing: "Begin TLS",
    ready: "Say MAIL first",
    authenticating: "AUTH is under way",
    sender: "A message is under way: say RSET first",
    recipients: "A message is under way: say RSET first",
    content: "A message is under way",
    chunks: "A message is under way by BDAT: go on with it, or say RSET",
    closed: "The connection is closed",
  } satisfies Record<StateName, string>;
  return new SmtpError("bad-sequence", `a command out of order in state ${state}`, {
    reply: replyTo(move, { code: 503, enhanced: "5.5.1", lines: [advice[state]] }),
  });
}
