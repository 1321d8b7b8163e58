// Where a conversation stands when a fault may happen: its stage, and who and what it is about. It knows no rules.
import type { Address } from "@tcpkit/core";
import type { Path } from "./address.ts";
import type { Reply } from "./codes.ts";
import type { FaultStage } from "./fault-rules.ts";
import type { SmtpEvent } from "./server-events.ts";

/** What is known where a fault may happen. */
export interface Moment {
  readonly stage: FaultStage;
  readonly remoteAddress: string;
  /** At `ehlo`. */
  readonly name: string;
  /** At `auth`. */
  readonly mechanism: string;
  readonly from: Path | null;
  /** At `rcpt` the one in question, from `data` on those that were accepted. */
  readonly to: readonly Path[];
}

const STAGES: Readonly<Partial<Record<SmtpEvent["type"], FaultStage>>> = {
  greeting: "connect",
  ehlo: "ehlo",
  helo: "ehlo",
  lhlo: "ehlo",
  auth: "auth",
  mail: "mail",
  rcpt: "rcpt",
  message: "data",
  "message-end": "end",
};

/** Follows one conversation. */
export class MomentTracker {
  readonly #remoteAddress: string;
  #from: Path | null = null;
  #to: Path[] = [];

  constructor(remote: Address | undefined) {
    this.#remoteAddress = remote?.kind === "tcp" ? remote.host : "";
  }

  /** `undefined` for an event at which no fault happens. */
  of(event: SmtpEvent): Moment | undefined {
    const stage = STAGES[event.type];
    if (stage === undefined) return undefined;
    return {
      stage,
      remoteAddress: this.#remoteAddress,
      name: "name" in event ? event.name : "",
      mechanism: "mechanism" in event ? event.mechanism : "",
      from: event.type === "mail" ? event.from : this.#from,
      to: event.type === "rcpt" ? [event.to] : [...this.#to],
    };
  }

  /** What the server said to an event: how far the message has come. */
  note(event: SmtpEvent, reply: Reply | undefined): void {
    const accepted = reply !== undefined && reply.code < 400;
    switch (event.type) {
      case "mail":
        if (!accepted) return;
        this.#from = event.from;
        this.#to = [];
        return;
      case "rcpt":
        if (accepted) this.#to.push(event.to);
        return;
      case "ehlo":
      case "helo":
      case "lhlo":
      case "rset":
      case "starttls":
      case "message-end":
        this.#from = null;
        this.#to = [];
        return;
      default:
    }
  }
}
