// Which command may follow which: one table. It knows the order of RFC 5321 sections 3.3 and 4.1.4; no bytes.
//
// A row is a state, a cell the state after a positive reply; a refused command leaves the state as it was. An empty
// cell is a bad sequence: 503 5.5.1 (DATA with no recipient: 554 5.5.1). `end` is the end of a message's content,
// after which the message is forgotten whatever the reply was, and so it is when DATA itself is refused.
import type { Command } from "./wire.ts";

/**
 * What moves a conversation: a command, our greeting, the end of a message's content, that TLS begins, or that AUTH has come
 * to its end, whichever it was.
 */
export type Move = Command["type"] | "greeting" | "end" | "secured" | "authenticated";

export type StateName =
  | "opening"
  | "unwelcome"
  | "greeted"
  | "securing"
  | "ready"
  | "authenticating"
  | "sender"
  | "recipients"
  | "content"
  | "chunks"
  | "closed";

/** A row for each state: the moves allowed in it, and where each leads. */
export type Transitions = Readonly<Record<StateName, Readonly<Partial<Record<Move, StateName>>>>>;

export const transitions: Transitions = {
  /** Connected; our 220 is owed. Nothing may come before it (section 4.3.1). */
  opening: { greeting: "greeted" },
  /** We opened with 554: only QUIT is left (section 3.1). */
  unwelcome: { quit: "closed" },
  /** Greeted, but the client has not said who it is. */
  greeted: {
    ehlo: "ready",
    helo: "ready",
    lhlo: "ready",
    rset: "greeted",
    noop: "greeted",
    help: "greeted",
    vrfy: "greeted",
    expn: "greeted",
    quit: "closed",
  },
  /** We said 220 to STARTTLS: what comes is TLS, and then all begins anew (RFC 3207 section 4.2). */
  securing: { secured: "greeted" },
  /** No message is under way. */
  ready: {
    ehlo: "ready",
    helo: "ready",
    lhlo: "ready",
    starttls: "securing",
    auth: "authenticating",
    mail: "sender",
    rset: "ready",
    noop: "ready",
    help: "ready",
    vrfy: "ready",
    expn: "ready",
    quit: "closed",
  },
  /** We said 334 to AUTH: lines are base64, no commands (RFC 4954 section 4). */
  authenticating: { "auth-response": "authenticating", authenticated: "ready" },
  /** A sender, no recipient yet. */
  sender: {
    ehlo: "ready",
    helo: "ready",
    lhlo: "ready",
    rcpt: "recipients",
    rset: "ready",
    noop: "sender",
    help: "sender",
    vrfy: "sender",
    expn: "sender",
    quit: "closed",
  },
  /** A sender and at least one recipient. */
  recipients: {
    ehlo: "ready",
    helo: "ready",
    lhlo: "ready",
    rcpt: "recipients",
    message: "content",
    bdat: "chunks",
    rset: "ready",
    noop: "recipients",
    help: "recipients",
    vrfy: "recipients",
    expn: "recipients",
    quit: "closed",
  },
  /** After 354: lines are content, up to CRLF.CRLF. */
  content: { end: "ready" },
  /**
   * After the first BDAT: octets of a chunk, or between two of them (RFC 3030 section 2). A chunk that was refused is the end
   * of the message, as the last one is.
   */
  chunks: {
    bdat: "chunks",
    end: "ready",
    ehlo: "ready",
    helo: "ready",
    lhlo: "ready",
    rset: "ready",
    noop: "chunks",
    help: "chunks",
    vrfy: "chunks",
    expn: "chunks",
    quit: "closed",
  },
  /** Nothing more is read. */
  closed: {},
};

/** The same table by maps: objects are several times slower to look a string up in, where the strings vary. */
const table: ReadonlyMap<string, ReadonlyMap<string, StateName>> = new Map(
  Object.entries(transitions).map(([state, row]) => [state, new Map(Object.entries(row))]),
);

/** The state after a positive reply to `move`; `undefined` when it may not come now. */
export function stateAfter(state: StateName, move: Move): StateName | undefined {
  return table.get(state)?.get(move);
}
