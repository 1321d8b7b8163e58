// The HTTP/1.1 engine: bytes in, events out, replies in, bytes out, for either end of a connection. It knows how
// the two sides of an exchange depend on each other. It knows no socket, no timer and no clock.
import { assertNever } from "@tcpkit/core";
import type { Notice, Output, Session } from "@tcpkit/core";
import { HttpError, localError } from "./errors.ts";
import type { Framing } from "./framing.ts";
import { Incoming } from "./incoming.ts";
import { DEFAULT_LIMITS, MAX_INTERIM_REPLIES } from "./limits.ts";
import type { HttpLimits } from "./limits.ts";
import type { HttpEvent, HttpReply, InformationalReply, RequestReply, ResponseReply } from "./messages.ts";
import { DEFAULT_METHODS } from "./methods.ts";
import { Outgoing } from "./outgoing.ts";
import { SIDE_NODES } from "./state.ts";
import type { SideNode, SideStep } from "./state.ts";
import { formatRequestLine } from "./wire.ts";

export interface HttpSessionOptions {
  /** Which end this is. Default: `"server"`. */
  readonly role?: "server" | "client" | undefined;
  /** Bounds that differ from `DEFAULT_LIMITS`. */
  readonly limits?: Partial<HttpLimits> | undefined;
  /** Methods that are served; CONNECT and TRACE are answered 405, unknown ones 501. Default: `DEFAULT_METHODS`. */
  readonly methods?: readonly string[] | undefined;
  /** Gives the whole `Date` field line of a reply. Default: none, since a session has no clock. */
  readonly date?: (() => string) | undefined;
}

/** Methods that are known well enough to be refused by name rather than as unknown. */
const REFUSED_BY_NAME: ReadonlySet<string> = new Set(["CONNECT", "TRACE"]);

export class HttpSession implements Session<HttpEvent, HttpReply> {
  readonly #server: boolean;
  readonly #limits: HttpLimits;
  readonly #methods: readonly string[];
  readonly #date: () => string;
  readonly #incoming: Incoming;
  readonly #outgoing = new Outgoing();
  #received: SideNode = SIDE_NODES.idle;
  #sent: SideNode = SIDE_NODES.idle;
  /** The method of the exchange in hand. */
  #method = "";
  /** The other side speaks HTTP/1.1, as far as the exchange in hand shows. */
  #modern = true;
  /** The connection may carry another exchange after the one in hand. */
  #persists = true;
  /** A 100 (Continue) is owed before the body comes. */
  #owesContinue = false;
  /** Bytes of the request's body that came after its reply was complete. */
  #discarded = 0;
  /** Interim replies received to the request in hand. */
  #interims = 0;
  #draining = false;
  #peerEnded = false;
  #expired = false;
  #finished = false;
  #failure: HttpError | undefined;

  constructor(options: HttpSessionOptions = {}) {
    this.#server = options.role !== "client";
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#methods = options.methods ?? DEFAULT_METHODS;
    this.#date = options.date ?? noDate;
    this.#incoming = new Incoming(this.#server ? "request" : "response", this.#limits);
  }

  get state(): string {
    if (this.#finished) return "closed";
    return `${this.#received.name}/${this.#sent.name}`;
  }

  get partial(): boolean {
    // While the client waits for our 100 (Continue), it is not the one who is late.
    if (this.#received.name === "body") return !this.#owesContinue;
    return (
      this.#received.name === "idle" &&
      (this.#incoming.queue.length > 0 || !this.#server) &&
      !this.#isResting()
    );
  }

  get finished(): boolean {
    return this.#finished;
  }

  get failure(): HttpError | undefined {
    return this.#failure;
  }

  receive(bytes: Uint8Array): void {
    if (!this.#finished) this.#incoming.queue.push(bytes);
  }

  end(): void {
    this.#peerEnded = true;
  }

  notify(notice: Notice): void {
    switch (notice) {
      case "drain":
        this.#draining = true;
        this.#persists = false;
        if (this.#isResting()) this.#finished = true;
        break;
      case "timeout":
        this.#expired = true;
        break;
      default:
        assertNever(notice);
    }
  }

  next(): HttpEvent | undefined {
    if (this.#finished) return undefined;
    try {
      switch (this.#received.name) {
        case "idle":
          return this.#nextHead();
        case "body":
          return this.#nextPart();
        case "done":
        case "closed":
          return undefined;
        default:
          return assertNever(this.#received.name);
      }
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return this.#fail(error);
    }
  }

  /** @throws HttpError `wrong-state`, `bad-reply`, `bad-request`, `length-mismatch`, before a byte is made. */
  send(reply: HttpReply): Output {
    switch (reply.type) {
      case "response":
        return this.#sendResponse(reply);
      case "informational":
        return this.#sendInformational(reply);
      case "data": {
        if (this.#sent.data === undefined) forbidden("data", this.#sent);
        return this.#outgoing.data(reply.bytes);
      }
      case "end": {
        const next = this.#sent.end ?? forbidden("end", this.#sent);
        const output = this.#outgoing.end(reply.trailers);
        this.#sent = next;
        this.#settle();
        return output;
      }
      case "request":
        return this.#sendRequest(reply);
      default:
        return assertNever(reply);
    }
  }

  /** Between exchanges, with nothing begun. */
  #isResting(): boolean {
    return this.#received.name === "idle" && this.#sent.name === "idle" && this.#incoming.queue.length === 0;
  }

  #nextHead(): HttpEvent | undefined {
    return this.#server ? this.#nextRequest() : this.#nextResponse();
  }

  #nextRequest(): HttpEvent | undefined {
    const event = this.#incoming.takeRequest();
    if (event === undefined) return this.#starved();
    const { method } = event;
    if (!this.#methods.includes(method)) throw this.#refusal(method, event.start);
    this.#method = method;
    this.#modern = event.version === "1.1";
    this.#persists = this.#incoming.persists && !this.#draining;
    this.#owesContinue = event.expectsContinue;
    this.#begin(event.framing);
    return event;
  }

  #nextResponse(): HttpEvent | undefined {
    if (this.#sent.name === "idle") return this.#unasked();
    const event = this.#incoming.takeResponse(this.#method);
    if (event === undefined) return this.#starved();
    if (event.type === "informational") {
      if (++this.#interims > MAX_INTERIM_REPLIES) {
        throw new HttpError("unexpected-bytes", "too many interim replies", { offset: event.start });
      }
      this.#received = this.#received.interim ?? forbidden("interim", this.#received);
    } else {
      this.#persists &&= event.persists;
      this.#begin(event.framing);
    }
    return event;
  }

  /** A head has been read: a body follows, or the message is complete. */
  #begin(framing: Framing): void {
    if (framing.type === "none") {
      this.#received = this.#received.message ?? forbidden("message", this.#received);
      this.#settle();
    } else {
      this.#received = this.#received.head ?? forbidden("head", this.#received);
    }
  }

  #nextPart(): HttpEvent | undefined {
    const part = this.#incoming.takePart(this.#peerEnded);
    if (part === undefined) return this.#starved();
    this.#owesContinue = false;
    if (part.type === "end") {
      this.#received = this.#received.end ?? forbidden("end", this.#received);
      this.#settle();
    } else if (this.#server && this.#sent.name === "done") {
      this.#discard(part.bytes.length);
    }
    return part;
  }

  /** The reply is complete and the request is not: what still comes is read for a while, to keep the connection. */
  #discard(bytes: number): void {
    this.#discarded += bytes;
    if (this.#discarded > this.#limits.maxDiscardBytes) this.#finished = true;
  }

  /** Bytes are awaited that have not come. Will they ever? */
  #starved(): HttpEvent | undefined {
    const { queue } = this.#incoming;
    const begun = queue.length > 0 || this.#received.name === "body" || !this.#server;
    if (!this.#expired && !this.#peerEnded) return undefined;
    if (!begun || (this.#expired && this.#server && this.#sent.name === "done")) {
      this.#finished = true;
      return undefined;
    }
    if (this.#expired) {
      return this.#fail(
        new HttpError("timeout", "the rest of the message did not come in time", { status: 408 }),
      );
    }
    const offset = queue.offset + queue.length;
    return this.#fail(new HttpError("incomplete", "the peer ended in the middle of a message", { offset }));
  }

  /** In the client's role, between exchanges: a server has nothing to say. */
  #unasked(): HttpEvent | undefined {
    if (this.#incoming.queue.length > 0) {
      const { offset } = this.#incoming.queue;
      return this.#fail(
        new HttpError("unexpected-bytes", "bytes came that no request asked for", { offset }),
      );
    }
    if (this.#peerEnded || this.#expired) this.#finished = true;
    return undefined;
  }

  #fail(error: HttpError): HttpEvent {
    const { offset, length } = this.#incoming.queue;
    this.#failure = error;
    this.#persists = false;
    if (this.#server && this.#received.name === "idle") {
      // Nothing of the last exchange shapes the answer to a head that could not be read.
      this.#method = "";
      this.#modern = true;
    }
    this.#received = SIDE_NODES.closed;
    this.#incoming.queue.skip(length);
    // An answer is still possible for who has begun none; otherwise there is nothing left to say.
    if (!this.#server || this.#sent.name === "done") this.#finished = true;
    // From the beginning of what was being read to the byte that is wrong, or of the head that is refused.
    const at = error.offset ?? offset;
    return { type: "error", error, start: Math.min(offset, at), end: Math.max(offset, at) };
  }

  #refusal(method: string, offset: number): HttpError {
    if (REFUSED_BY_NAME.has(method)) {
      const headers = { Allow: this.#methods.join(", ") };
      return new HttpError("refused-method", `${method} is not served here`, {
        status: 405,
        offset,
        headers,
      });
    }
    return new HttpError("unknown-method", "the method is not known here", { status: 501, offset });
  }

  #sendResponse(reply: ResponseReply): Output {
    const open = reply.open === true;
    const next = (open ? this.#sent.head : this.#sent.message) ?? forbidden("message", this.#sent);
    if (this.#received.name === "idle" || !this.#server) {
      throw localError("wrong-state", "no request awaits a reply");
    }
    // A client that waits for 100 and gets a final reply may send its body or not: nobody can tell.
    // And what is known to be more than we would drop is not worth waiting for.
    const tooMuch = !open && this.#incoming.remaining > this.#limits.maxDiscardBytes;
    const unread = this.#received.name === "body" && (this.#owesContinue || tooMuch);
    // The client has ended and asked for nothing else: this is the last reply.
    const last = this.#peerEnded && this.#incoming.queue.length === 0;
    const output = this.#outgoing.response(reply.status, reply.reason, reply.headers, reply.body, open, {
      modern: this.#modern,
      toHead: this.#method === "HEAD",
      closing: !this.#persists || unread || last,
      date: this.#date(),
    });
    if (this.#outgoing.closes) this.#persists = false;
    this.#sent = next;
    this.#settle();
    return output;
  }

  /** RFC 9110 §15.2: a server must not send a 1xx to an HTTP/1.0 client. */
  #sendInformational(reply: InformationalReply): Output {
    if (this.#sent.interim === undefined) forbidden("interim", this.#sent);
    if (this.#received.name === "idle" || this.#received.name === "closed" || !this.#server) {
      throw localError("wrong-state", "no request awaits a reply");
    }
    if (!this.#modern) return "";
    const output = this.#outgoing.informational(reply.status, reply.headers);
    if (reply.status === 100) this.#owesContinue = false;
    return output;
  }

  #sendRequest(reply: RequestReply): Output {
    const open = reply.open === true;
    const next = (open ? this.#sent.head : this.#sent.message) ?? forbidden("message", this.#sent);
    if (this.#server) throw localError("wrong-state", "a server sends no requests");
    if (reply.method === "CONNECT") throw localError("bad-request", "CONNECT is not offered");
    const line = formatRequestLine(reply.method, reply.target);
    const output = this.#outgoing.request(line, reply.headers, reply.body, open);
    this.#method = reply.method;
    this.#interims = 0;
    this.#persists = !this.#outgoing.closes && !this.#draining;
    this.#sent = next;
    return output;
  }

  /** Both messages complete: the next exchange, or the end. A reply complete on a lost connection: the end. */
  #settle(): void {
    if (this.#sent.name !== "done") return;
    if (this.#received.name === "done" && this.#persists) {
      this.#received = this.#received.next ?? forbidden("next", this.#received);
      this.#sent = this.#sent.next ?? forbidden("next", this.#sent);
      this.#discarded = 0;
    } else if (this.#received.name === "done" || (this.#server && !this.#persists)) {
      this.#finished = true;
    }
  }
}

function forbidden(step: SideStep, state: SideNode): never {
  throw localError("wrong-state", `"${step}" cannot follow while the message is "${state.name}"`);
}

function noDate(): string {
  return "";
}
