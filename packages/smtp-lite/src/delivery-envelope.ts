// The commands in front of a message's content, and what their replies mean for it: RFC 5321 section 3.3. It sends nothing.
import type { ClientCommand } from "./client-side.ts";
import { isIntermediate, isPositive } from "./codes.ts";
import type { Reply } from "./codes.ts";
import { refused } from "./conversation.ts";
import type { DeliveryResult } from "./delivery-result.ts";
import type { Shipment } from "./delivery-shipment.ts";

const RESET: ClientCommand = { type: "rset" };
const DATA: ClientCommand = { type: "message" };

/** What is next, after a reply. */
export type AfterReply =
  /** The next command, or the reply to it where all have left. */
  | "commands"
  /** The server waits for content. */
  | "content"
  /** The message failed, and the server waits for nothing more of it. */
  | "over"
  /** The connection is of no use any more. */
  | "broken";

export class DeliveryEnvelope {
  readonly commands: readonly [ClientCommand, ...ClientCommand[]];
  readonly #pipelining: boolean;
  /** The command whose reply is next. */
  #at = 0;

  /** `reset`: by RSET first. */
  constructor(shipment: Shipment, reset: boolean) {
    const { from, to, pipelining, chunked, lmtp: _lmtp, content: _content, ...parameters } = shipment;
    const mail: ClientCommand = { type: "mail", from, ...parameters };
    const recipients = to.map((path): ClientCommand => ({ type: "rcpt", to: path }));
    const rest = chunked ? recipients : [...recipients, DATA];
    this.commands = reset ? [RESET, mail, ...rest] : [mail, ...rest];
    this.#pipelining = pipelining;
  }

  /** The command whose reply is next. */
  get next(): ClientCommand | undefined {
    return this.commands[this.#at];
  }

  /** The reply to the next command: what it says of the message goes into `result`. */
  onReply(reply: Reply, result: DeliveryResult): AfterReply {
    const command = this.next;
    this.#at += 1;
    const positive = isPositive(reply);
    if (command === RESET && !positive) {
      // The recipients of the message before may still be there, and would get this one.
      result.fail(refused(reply, "RSET"));
      return "broken";
    }
    if (command?.type === "mail" && !positive) result.fail(refused(reply, "MAIL"));
    if (command?.type === "rcpt") result.onRecipient(command.to.address, reply);
    const { next } = this;
    if (next?.type !== "rcpt") result.checkRecipients();
    if (next !== undefined && (this.#pipelining || !result.failed)) return "commands";
    if (command === DATA && isIntermediate(reply)) return "content";
    if (command === DATA) result.fail(refused(reply, "DATA"));
    return result.failed ? "over" : "content";
  }
}
