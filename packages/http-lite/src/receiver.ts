// The receiving half of a session: which message may come next, and what it means when nothing comes. The bytes are
// read by incoming.ts. It knows no socket, no timer and no clock.
import { assertNever } from "@tcpkit/core";
import { forbidden } from "./conversation.ts";
import type { Conversation } from "./conversation.ts";
import { HttpError } from "./errors.ts";
import type { Incoming } from "./incoming.ts";
import { MAX_INTERIM_REPLIES } from "./limits.ts";
import type { HttpLimits } from "./limits.ts";
import type { HttpEvent } from "./messages.ts";
import { methodRefusal } from "./methods.ts";
import { checkSwitch } from "./switch.ts";

/** Makes the events of one connection. */
export class Receiver {
  readonly #conversation: Conversation;
  readonly #incoming: Incoming;
  readonly #limits: HttpLimits;
  readonly #methods: readonly string[];
  /** Bytes of the request's body that came after its reply was complete. */
  #discarded = 0;
  /** Interim replies received to the request in hand. */
  #interims = 0;

  constructor(
    conversation: Conversation,
    incoming: Incoming,
    limits: HttpLimits,
    methods: readonly string[],
  ) {
    this.#conversation = conversation;
    this.#incoming = incoming;
    this.#limits = limits;
    this.#methods = methods;
  }

  next(): HttpEvent | undefined {
    const { finished, received, server } = this.#conversation;
    if (finished) return undefined;
    try {
      switch (received.name) {
        case "idle":
          return server ? this.#nextRequest() : this.#nextResponse();
        case "body":
          return this.#nextPart();
        case "done":
        case "switched":
        case "closed":
          return undefined;
        default:
          return assertNever(received.name);
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return this.#fail(error);
    }
  }

  #nextRequest(): HttpEvent | undefined {
    const event = this.#incoming.takeRequest();
    if (event === undefined) return this.#starved();
    const { method } = event;
    if (!this.#methods.includes(method)) throw methodRefusal(method, this.#methods, event.start);
    this.#discarded = 0;
    const conversation = this.#conversation;
    conversation.asked = true;
    conversation.method = method;
    conversation.offered = event.upgrade;
    conversation.modern = event.version === "1.1";
    conversation.persists = this.#incoming.persists && !conversation.draining;
    conversation.owesContinue = event.expectsContinue;
    conversation.begin(event.framing);
    return event;
  }

  #nextResponse(): HttpEvent | undefined {
    const conversation = this.#conversation;
    // What came before a request was sent is no reply to it, whatever it looks like.
    const early = this.#incoming.queue.offset < conversation.after;
    if (early || conversation.sent.name === "idle") return this.#unasked();
    const event = this.#incoming.takeResponse(conversation.method);
    if (event === undefined) return this.#starved();
    if (event.type === "informational") {
      if (++this.#interims > MAX_INTERIM_REPLIES) {
        throw new HttpError("unexpected-bytes", "too many interim replies", { offset: event.start });
      }
      conversation.received = conversation.received.interim ?? forbidden("interim", conversation.received);
    } else if (event.switches) {
      if (event.status === 101) checkSwitch(event, conversation.offered);
      conversation.switch();
    } else {
      this.#interims = 0;
      conversation.persists &&= event.persists;
      conversation.begin(event.framing);
      conversation.proceed();
    }
    return event;
  }

  #nextPart(): HttpEvent | undefined {
    const conversation = this.#conversation;
    const part = this.#incoming.takePart(conversation.peerEnded);
    if (part === undefined) return this.#starved();
    conversation.owesContinue = false;
    if (part.type === "end") {
      conversation.received = conversation.received.end ?? forbidden("end", conversation.received);
      conversation.settle();
      if (!conversation.server) conversation.proceed();
    } else if (conversation.server && conversation.sent.name === "done") {
      this.#discard(part.bytes.length);
    }
    return part;
  }

  /** The reply is complete and the request is not: what still comes is read for a while, to keep the connection. */
  #discard(bytes: number): void {
    this.#discarded += bytes;
    if (this.#discarded > this.#limits.maxDiscardBytes) this.#conversation.finished = true;
  }

  /** Bytes are awaited that have not come. Will they ever? */
  #starved(): HttpEvent | undefined {
    const { queue } = this.#incoming;
    const conversation = this.#conversation;
    const { server, expired, peerEnded } = conversation;
    if (!expired && !peerEnded) return undefined;
    const begun = queue.length > 0 || conversation.received.name === "body" || !server;
    if (!begun || (expired && server && conversation.sent.name === "done")) {
      conversation.finished = true;
      return undefined;
    }
    if (expired) {
      return this.#fail(
        new HttpError("timeout", "the rest of the message did not come in time", { status: 408 }),
      );
    }
    const offset = queue.offset + queue.length;
    return this.#fail(new HttpError("incomplete", "the peer ended in the middle of a message", { offset }));
  }

  /** In the client's role, where no request awaits what comes: a server has nothing to say. */
  #unasked(): HttpEvent | undefined {
    const { queue } = this.#incoming;
    if (queue.length > 0) {
      const { offset } = queue;
      return this.#fail(
        new HttpError("unexpected-bytes", "bytes came that no request asked for", { offset }),
      );
    }
    const conversation = this.#conversation;
    if (conversation.peerEnded || conversation.expired) conversation.finished = true;
    return undefined;
  }

  #fail(error: HttpError): HttpEvent {
    const { offset, length } = this.#incoming.queue;
    this.#conversation.fail(error);
    this.#incoming.queue.skip(length);
    // From the beginning of what was being read to the byte that is wrong, or of the head that is refused.
    const at = error.offset ?? offset;
    return { type: "error", error, start: Math.min(offset, at), end: Math.max(offset, at) };
  }
}
