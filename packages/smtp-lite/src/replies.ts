// What a server says, ready-made. It knows codes and texts (RFC 5321 section 4.2.2 and the extensions'); when each is due is
// decided elsewhere.
import type { Reply } from "./codes.ts";
import { PreparedReply } from "./reply.ts";

export type ReplyName =
  | "senderOk"
  | "recipientOk"
  | "startMail"
  | "ok"
  | "startTls"
  | "noTls"
  | "needsTls"
  | "authenticated"
  | "authRefused"
  | "authFailedForNow"
  | "badAuth"
  | "noAuth"
  | "noMechanism"
  | "needsTlsToAuth"
  | "needsAuth"
  | "bye"
  | "cannotVerify"
  | "noExpand"
  | "shuttingDown"
  | "timedOut"
  | "tooManyRecipients"
  | "tooSlow"
  | "tooManyMessages"
  | "tooBig"
  | "mailLoop"
  | "noSpace"
  | "localError";

/** Replies that never change, their bytes made once. */
export const replies: Readonly<Record<ReplyName, Reply>> = {
  senderOk: prepared({ code: 250, enhanced: "2.1.0", lines: ["Sender ok"] }),
  recipientOk: prepared({ code: 250, enhanced: "2.1.5", lines: ["Recipient ok"] }),
  startMail: prepared({ code: 354, lines: ["End data with <CR><LF>.<CR><LF>"] }),
  ok: prepared({ code: 250, enhanced: "2.0.0", lines: ["Ok"] }),
  startTls: prepared({ code: 220, enhanced: "2.0.0", lines: ["Begin TLS"] }),
  noTls: prepared({ code: 454, enhanced: "4.7.0", lines: ["TLS is not available here"] }),
  needsTls: prepared({ code: 530, enhanced: "5.7.0", lines: ["Say STARTTLS first"] }),
  authenticated: prepared({ code: 235, enhanced: "2.7.0", lines: ["Authenticated"] }),
  authRefused: prepared({ code: 535, enhanced: "5.7.8", lines: ["Wrong user name, password or token"] }),
  authFailedForNow: prepared({
    code: 454,
    enhanced: "4.7.0",
    lines: ["Cannot tell who you are just now, try again later"],
  }),
  badAuth: prepared({ code: 501, enhanced: "5.5.2", lines: ["That is no message of this mechanism"] }),
  noAuth: prepared({ code: 502, enhanced: "5.5.1", lines: ["AUTH is not offered"] }),
  noMechanism: prepared({ code: 504, enhanced: "5.5.4", lines: ["Unknown mechanism"] }),
  needsTlsToAuth: prepared({
    code: 538,
    enhanced: "5.7.11",
    lines: ["Encryption required: say STARTTLS first"],
  }),
  needsAuth: prepared({ code: 530, enhanced: "5.7.0", lines: ["Authentication required: say AUTH first"] }),
  bye: prepared({ code: 221, enhanced: "2.0.0", lines: ["Bye"] }),
  cannotVerify: prepared({
    code: 252,
    enhanced: "2.5.0",
    lines: ["Cannot verify, but will take a message and try"],
  }),
  noExpand: prepared({ code: 502, enhanced: "5.5.1", lines: ["EXPN is not offered"] }),
  shuttingDown: prepared({
    code: 421,
    enhanced: "4.3.2",
    lines: ["The server is shutting down, try again later"],
  }),
  timedOut: prepared({ code: 421, enhanced: "4.4.2", lines: ["Timed out waiting for you"] }),
  tooManyRecipients: prepared({
    code: 452,
    enhanced: "4.5.3",
    lines: ["Too many recipients, send the rest apart"],
  }),
  tooSlow: prepared({ code: 421, enhanced: "4.4.2", lines: ["You send too slowly"] }),
  tooManyMessages: prepared({
    code: 452,
    enhanced: "4.5.3",
    lines: ["Too many messages on one connection, open another"],
  }),
  tooBig: prepared({ code: 552, enhanced: "5.3.4", lines: ["The message is too big"] }),
  mailLoop: prepared({
    code: 554,
    enhanced: "5.4.6",
    lines: ["Too many Received lines: this mail is going in circles"],
  }),
  noSpace: prepared({ code: 452, enhanced: "4.3.1", lines: ["No space left, try again later"] }),
  /** A hook failed: our fault, so the client keeps the message and tries again. */
  localError: prepared({ code: 451, enhanced: "4.3.0", lines: ["Local error, try again later"] }),
};

function prepared(reply: Reply): Reply {
  return new PreparedReply(reply);
}
