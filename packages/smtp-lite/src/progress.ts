// How far a conversation has come, on the server's side: its state, what the table of states does not know, and how often the
// client was wrong. It moves by replies; it knows no bytes.
import { barred } from "./barrier.ts";
import type { Requirements } from "./barrier.ts";
import type { SmtpError, SmtpErrorCode } from "./errors.ts";
import { misplaced } from "./order.ts";
import type { Standing } from "./order.ts";
import type { SmtpEvent } from "./server-events.ts";
import { stateAfter } from "./state.ts";
import type { StateName } from "./state.ts";
import type { Command } from "./wire.ts";

/** What may be wrong with a path and its parameters, and the commands that have them. */
const OF_PATH: ReadonlySet<SmtpErrorCode> = new Set<SmtpErrorCode>([
  "bad-address",
  "bad-parameter",
  "unknown-parameter",
]);
/** What a line would have been that begins with one of these. */
const COMMANDS: Readonly<Partial<Record<string, Command["type"]>>> = {
  MAIL: "mail",
  RCPT: "rcpt",
  DATA: "message",
  AUTH: "auth",
  RSET: "rset",
  VRFY: "vrfy",
  EXPN: "expn",
  HELP: "help",
};

export class Progress {
  state: StateName = "opening";
  /** Recipients of the message under way that were accepted. */
  recipients = 0;
  /** Since the last message. */
  badCommands = 0;
  /** Belongs to this conversation, and changes with it. */
  readonly #standing: { -readonly [Name in keyof Standing]: Standing[Name] };

  readonly #required: Requirements;

  constructor(secure: boolean, lmtp: boolean, required: Requirements) {
    this.#required = required;
    this.#standing = { secure, lmtp, extended: false, authenticated: false, utf8: false, binary: false };
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** Why this command may not come now, if it may not. */
  misplaced(command: Command["type"]): SmtpError | undefined {
    return misplaced(command, this.state, this.#standing, this.#required);
  }

  /** Why a line that begins with this verb may not come now, whatever else is wrong with it. */
  refuses(error: SmtpError, verb: string): SmtpError | undefined {
    const command = COMMANDS[verb];
    if (command === undefined || error.fatal) return undefined;
    // What stands behind a command is judged where the command may come: before EHLO there are no parameters to know.
    if (OF_PATH.has(error.code)) return this.misplaced(command);
    return this.state === "unwelcome" ? undefined : barred(command, this.#standing, this.#required);
  }

  /** TLS begins: nothing that the client said before counts any more (RFC 3207 section 4.2). */
  secured(): void {
    const standing = this.#standing;
    standing.secure = true;
    standing.extended = standing.authenticated = standing.utf8 = standing.binary = false;
    this.state = stateAfter(this.state, "secured") ?? this.state;
  }

  /** `event` was answered by a reply with this code, the last one if it gets several. */
  answered(event: SmtpEvent, code: number): void {
    const positive = code < 400;
    switch (event.type) {
      case "greeting":
        this.state = positive ? "greeted" : "unwelcome";
        return;
      case "error":
        // A line that is none ends an AUTH exchange (RFC 4954 section 4).
        if (this.state === "authenticating") this.state = "ready";
        return;
      case "auth":
      case "auth-response":
        if (code === 235) this.#standing.authenticated = true;
        if (code >= 500) this.badCommands += 1;
        this.state =
          stateAfter("authenticating", code === 334 ? "auth-response" : "authenticated") ?? "ready";
        return;
      case "data":
      case "bdat":
      case "timeout":
      case "shutdown":
        return;
      case "chunk-end":
        if (!positive) this.state = "ready";
        return;
      case "message-end":
        if (positive) this.badCommands = 0;
        this.state = "ready";
        return;
      case "message":
        this.state = positive ? "content" : "ready";
        return;
      default:
        if (positive) this.#accepted(event);
    }
  }

  #accepted(command: Command): void {
    const standing = this.#standing;
    switch (command.type) {
      case "ehlo":
      case "lhlo":
      case "helo":
        standing.extended = command.type !== "helo";
        break;
      case "mail":
        this.recipients = 0;
        standing.utf8 = command.utf8;
        standing.binary = command.body === "BINARYMIME";
        break;
      case "rcpt":
        this.recipients += 1;
        break;
      default:
    }
    this.state = stateAfter(this.state, command.type) ?? this.state;
  }
}
