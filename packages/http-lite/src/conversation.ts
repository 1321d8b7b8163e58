// Where the exchange in hand stands: both its sides, and whether the connection carries another one after it. It
// moves by the table in state.ts. It knows no bytes: receiver.ts and sender.ts tell it what came and what went.
import { localError } from "./errors.ts";
import type { HttpError } from "./errors.ts";
import type { Framing } from "./framing.ts";
import { SIDE_NODES } from "./state.ts";
import type { SideNode, SideStep } from "./state.ts";

/** A request that a client has sent, as far as its reply and what may follow depend on it. */
export interface Asked {
  readonly method: string;
  /** The protocols that it would switch to, in lower case. */
  readonly offered: readonly string[];
  /** It says `close`. */
  readonly closes: boolean;
  /** Bytes that had been received when it was sent: its reply stands behind them. */
  readonly after: number;
}

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
  /** In the client's role: bytes that had been received when the request in hand was sent. */
  after = 0;
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
  /** In the client's role: requests that were sent behind the one in hand, in this order (RFC 9112 §9.3.2). */
  readonly #behind: Asked[] = [];
  /** Nothing may be sent behind the latest request. */
  #last = false;

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

  /** In the client's role: of `most` requests that may be unanswered one more may be sent, complete in itself. */
  mayPipeline(most: number): boolean {
    const { sent, persists, draining } = this;
    return sent.name === "done" && persists && !draining && !this.#last && this.#behind.length + 1 < most;
  }

  /** In the client's role: a request is sent. It is in hand at once, or, where another one is, waits behind it. */
  ask(asked: Asked, open: boolean): void {
    // Behind `close` nothing is read, and what stands behind an Upgrade or CONNECT may be read as another protocol.
    this.#last = asked.closes || asked.offered.length > 0 || asked.method === "CONNECT";
    if (this.sent.name === "done") this.#behind.push(asked);
    else this.#takeUp(asked, open);
  }

  /** In the client's role: when the exchange in hand is over, the next request that was sent is in hand. */
  proceed(): void {
    if (this.sent.name !== "idle") return;
    const asked = this.#behind.shift();
    if (asked !== undefined) this.#takeUp(asked, false);
  }

  #takeUp({ method, offered, closes, after }: Asked, open: boolean): void {
    const step = open ? "head" : "message";
    this.sent = this.sent[step] ?? forbidden(step, this.sent);
    this.method = method;
    this.offered = offered;
    this.after = after;
    this.persists = !closes && !(this.draining && this.#behind.length === 0);
  }

  /** In the client's role: the server accepts, and another protocol begins behind its reply. */
  switch(): void {
    this.received = this.received.switch ?? forbidden("switch", this.received);
    this.sent = this.sent.switch ?? forbidden("switch", this.sent);
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
    else if (this.server ? this.sent.name === "idle" : this.#behind.length === 0) this.persists = false;
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
