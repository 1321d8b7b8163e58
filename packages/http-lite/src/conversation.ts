// Where the exchange in hand stands: both its sides, and whether the connection carries another one after it. It
// moves by the table in state.ts. It knows no bytes: receiver.ts and sender.ts tell it what came and what went.
import { localError } from "./errors.ts";
import type { HttpError } from "./errors.ts";
import type { Framing } from "./framing.ts";
import { SIDE_NODES } from "./state.ts";
import type { SideNode, SideStep } from "./state.ts";

/** What the two directions of one connection know of each other. */
export class Conversation {
  readonly server: boolean;
  received: SideNode = SIDE_NODES.idle;
  sent: SideNode = SIDE_NODES.idle;
  /** A request has come on this connection. */
  asked = false;
  /** The method of the exchange in hand. */
  method = "";
  /** The protocols that its client would switch to (RFC 9110 §7.8). */
  offered: readonly string[] = [];
  /** The other side speaks HTTP/1.1, as far as the exchange in hand shows. */
  modern = true;
  /** The connection may carry another exchange after the one in hand. */
  persists = true;
  /** A 100 (Continue) is owed before the body comes. */
  owesContinue = false;
  draining = false;
  peerEnded = false;
  expired = false;
  finished = false;
  failure: HttpError | undefined;

  constructor(server: boolean) {
    this.server = server;
  }

  /** Neither side has begun. */
  get idle(): boolean {
    return this.received.name === "idle" && this.sent.name === "idle";
  }

  get state(): string {
    if (this.finished) return "closed";
    return `${this.received.name}/${this.sent.name}`;
  }

  /** The other side's head has been read: a body follows, or the message is complete. */
  begin(framing: Framing): void {
    if (framing.type === "none") {
      this.received = this.received.message ?? forbidden("message", this.received);
      this.settle();
    } else {
      this.received = this.received.head ?? forbidden("head", this.received);
    }
  }

  /** Both messages complete: the next exchange, or the end. A reply complete on a lost connection: the end. */
  settle(): void {
    if (this.sent.name !== "done") return;
    if (this.received.name === "done" && this.persists) {
      this.received = this.received.next ?? forbidden("next", this.received);
      this.sent = this.sent.next ?? forbidden("next", this.sent);
    } else if (this.received.name === "done" || (this.server && !this.persists)) {
      this.finished = true;
    }
  }

  /**
   * The listener shuts down. What says that the connection persists may have left already: then the client may have sent
   * its next request, and that one is answered with `Connection: close`. Who never asked loses nothing.
   */
  drain(resting: boolean): void {
    this.draining = true;
    if (resting) this.finished = !this.server || !this.asked;
    else if (!this.server || this.sent.name === "idle") this.persists = false;
  }

  /** Nothing more can be read: framing is lost, or the other side is. */
  fail(error: HttpError): void {
    this.failure = error;
    this.persists = false;
    if (this.server && this.received.name === "idle") {
      // Nothing of the last exchange shapes the answer to a head that could not be read.
      this.method = "";
      this.modern = true;
    }
    this.received = SIDE_NODES.closed;
    // An answer is still possible for who has begun none; otherwise there is nothing left to say.
    if (!this.server || this.sent.name === "done") this.finished = true;
  }
}

export function forbidden(step: SideStep, state: SideNode): never {
  throw localError("wrong-state", `"${step}" cannot follow while the message is "${state.name}"`);
}
