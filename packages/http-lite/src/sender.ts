// The sending half of a session: which message may leave now, and what its head must say about the connection. The
// bytes are made by outgoing.ts. It knows no socket, no timer and no clock.
import { assertNever } from "@tcpkit/core";
import type { Output } from "@tcpkit/core";
import { forbidden } from "./conversation.ts";
import type { Conversation } from "./conversation.ts";
import { HttpError, localError } from "./errors.ts";
import type { Incoming } from "./incoming.ts";
import type {
  EndReply,
  HttpReply,
  InformationalReply,
  RequestReply,
  ResponseReply,
  SwitchReply,
} from "./messages.ts";
import { Outgoing } from "./outgoing.ts";
import { readOffer } from "./switch.ts";
import { formatRequestLine } from "./wire.ts";

/** Makes the bytes of one connection's replies, or, in the client's role, requests. */
export class Sender {
  readonly #conversation: Conversation;
  readonly #incoming: Incoming;
  readonly #maxDiscardBytes: number;
  readonly #pipelining: number;
  readonly #date: () => string;
  readonly #outgoing = new Outgoing();

  constructor(
    conversation: Conversation,
    incoming: Incoming,
    maxDiscardBytes: number,
    pipelining: number,
    date: () => string,
  ) {
    this.#conversation = conversation;
    this.#incoming = incoming;
    this.#maxDiscardBytes = maxDiscardBytes;
    this.#pipelining = pipelining;
    this.#date = date;
  }

  send(reply: HttpReply): Output {
    switch (reply.type) {
      case "response":
        return this.#response(reply);
      case "informational":
        return this.#informational(reply);
      case "data": {
        const { sent } = this.#conversation;
        if (sent.data === undefined) forbidden("data", sent);
        return this.#conversation.server
          ? this.#outgoing.data(reply.bytes)
          : asRequest(() => this.#outgoing.data(reply.bytes));
      }
      case "end":
        return this.#end(reply);
      case "switch":
        return this.#switch(reply);
      case "request":
        return this.#request(reply);
      default:
        return assertNever(reply);
    }
  }

  #response(reply: ResponseReply): Output {
    const conversation = this.#conversation;
    const { sent, received, method } = conversation;
    const open = reply.open === true;
    const next = (open ? sent.head : sent.message) ?? forbidden("message", sent);
    if (received.name === "idle" || !conversation.server) noRequest();
    if (method === "CONNECT" && isSuccess(reply.status)) {
      throw localError("bad-reply", "a 2xx to CONNECT opens the tunnel: take the connection over");
    }
    // A client that waits for 100 and gets a final reply may send its body or not: nobody can tell.
    // And what is known to be more than we would drop is not worth waiting for.
    const tooMuch = !open && this.#incoming.remaining > this.#maxDiscardBytes;
    const unread = received.name === "body" && (conversation.owesContinue || tooMuch);
    // The client has ended and asked for nothing else: this is the last reply.
    const last = conversation.peerEnded && this.#incoming.queue.length === 0;
    const output = this.#outgoing.response(reply.status, reply.reason, reply.headers, reply.body, open, {
      modern: conversation.modern,
      toHead: method === "HEAD",
      // What follows a refused CONNECT may be meant for the tunnel, sent early: it must not be read as requests.
      closing: !conversation.persists || unread || last || method === "CONNECT",
      date: this.#date(),
    });
    if (this.#outgoing.closes) conversation.persists = false;
    conversation.sent = next;
    conversation.settle();
    return output;
  }

  #end(reply: EndReply): Output {
    const conversation = this.#conversation;
    const next = conversation.sent.end ?? forbidden("end", conversation.sent);
    const output = conversation.server
      ? this.#outgoing.end(reply.trailers)
      : asRequest(() => this.#outgoing.end(reply.trailers));
    conversation.sent = next;
    conversation.settle();
    return output;
  }

  /** RFC 9110 §15.2: a server must not send a 1xx to an HTTP/1.0 client. */
  #informational(reply: InformationalReply): Output {
    const conversation = this.#conversation;
    const { sent, received } = conversation;
    if (sent.interim === undefined) forbidden("interim", sent);
    if (received.name === "idle" || received.name === "closed" || !conversation.server) noRequest();
    if (!conversation.modern) return "";
    const output = this.#outgoing.informational(reply.status, reply.headers);
    if (reply.status === 100) conversation.owesContinue = false;
    return output;
  }

  /** Another protocol begins where the request ends: for a client that asked for that, and whose body has been read. */
  #switch(reply: SwitchReply): Output {
    const conversation = this.#conversation;
    const { sent, received, method, offered } = conversation;
    const next = sent.switch ?? forbidden("switch", sent);
    if (received.name === "idle" || !conversation.server) noRequest();
    if (received.name === "body") {
      throw localError(
        "bad-reply",
        "read the request's body to its end before the take-over (RFC 9110 §7.8)",
      );
    }
    const tunnel = method === "CONNECT";
    if (!tunnel && offered.length === 0) {
      throw localError("bad-reply", "the client offered no protocol to switch to (RFC 9110 §7.8)");
    }
    const { status, headers } = reply;
    let output = "";
    if (status !== undefined) {
      output = tunnel
        ? this.#outgoing.tunnel(status, headers, this.#date())
        : this.#outgoing.upgrade(status, headers, offered);
    }
    conversation.received = received.switch ?? forbidden("switch", received);
    conversation.sent = next;
    return output;
  }

  #request(reply: RequestReply): Output {
    const conversation = this.#conversation;
    const { sent } = conversation;
    const { method } = reply;
    const open = reply.open === true;
    const pipelines = !open && conversation.mayPipeline(this.#pipelining);
    if (!pipelines && (open ? sent.head : sent.message) === undefined) forbidden("message", sent);
    if (conversation.server) throw localError("wrong-state", "a server sends no requests");
    const line = formatRequestLine(method, reply.target);
    const outgoing = this.#outgoing;
    const output = asRequest(() => outgoing.request(line, reply.headers, reply.body, open));
    const { queue } = this.#incoming;
    const offered = readOffer(reply, outgoing.protocols);
    const asked = { method, offered, closes: outgoing.closes, after: queue.offset + queue.length };
    conversation.ask(asked, open);
    return output;
  }
}

/** What is wrong with a field is told in a server's words; in the client's role it is the request that must not be sent. */
function asRequest<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof HttpError) || error.code !== "bad-reply") throw error;
    throw localError("bad-request", error.message);
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function noRequest(): never {
  throw localError("wrong-state", "no request awaits a reply");
}
