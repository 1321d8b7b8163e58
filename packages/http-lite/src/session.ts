// The HTTP/1.1 engine: bytes in, events out, replies in, bytes out, for either end of a connection. It joins the two
// halves, receiver.ts and sender.ts, to one conversation. It knows no socket, no timer and no clock.
import { assertNever } from "@tcpkit/core";
import type { Notice, Output, Session } from "@tcpkit/core";
import { Conversation } from "./conversation.ts";
import type { HttpError } from "./errors.ts";
import { Incoming } from "./incoming.ts";
import { withDefaults } from "./limits.ts";
import type { HttpLimits } from "./limits.ts";
import type { HttpEvent, HttpReply } from "./messages.ts";
import { DEFAULT_METHODS } from "./methods.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";

export interface HttpSessionOptions {
  /** Which end this is. Default: `"server"`. */
  readonly role?: "server" | "client" | undefined;
  /** Bounds that differ from `DEFAULT_LIMITS`. */
  readonly limits?: Partial<HttpLimits> | undefined;
  /**
   * Methods that are served; others that are known are answered 405, unknown ones 501. Default: `DEFAULT_METHODS`, which
   * has neither CONNECT nor TRACE.
   */
  readonly methods?: readonly string[] | undefined;
  /**
   * In the client's role: most requests that may be sent and not answered at one time (RFC 9112 §9.3.2). Those that are sent
   * while another one is in hand are complete in themselves, and nothing follows an Upgrade, a CONNECT or `close`.
   * Default: 1.
   */
  readonly pipelining?: number | undefined;
  /** Gives the whole `Date` field line of a reply. Default: none, since a session has no clock. */
  readonly date?: (() => string) | undefined;
}

export class HttpSession implements Session<HttpEvent, HttpReply> {
  readonly #conversation: Conversation;
  readonly #incoming: Incoming;
  readonly #receiver: Receiver;
  readonly #sender: Sender;

  constructor(options: HttpSessionOptions = {}) {
    const { role = "server", methods = DEFAULT_METHODS, pipelining = 1, date = noDate } = options;
    const limits = withDefaults(options.limits);
    const incoming = new Incoming(role === "server" ? "request" : "response", limits);
    const conversation = new Conversation(role === "server");
    this.#incoming = incoming;
    this.#conversation = conversation;
    this.#receiver = new Receiver(conversation, incoming, limits, methods);
    this.#sender = new Sender(conversation, incoming, limits.maxDiscardBytes, pipelining, date);
  }

  get state(): string {
    return this.#conversation.state;
  }

  get partial(): boolean {
    const { received, owesContinue, server, idle } = this.#conversation;
    // While the client waits for our 100 (Continue), it is not the one who is late.
    if (received.name === "body") return !owesContinue;
    if (received.name !== "idle") return false;
    return this.#incoming.queue.length > 0 || (!server && !idle);
  }

  /** The client waits for our 100 (Continue). */
  get owing(): boolean {
    const { received, owesContinue } = this.#conversation;
    return received.name === "body" && owesContinue;
  }

  /** Between exchanges, with nothing begun. */
  get resting(): boolean {
    return this.#conversation.idle && this.#incoming.queue.length === 0;
  }

  get finished(): boolean {
    return this.#conversation.finished;
  }

  get failure(): HttpError | undefined {
    return this.#conversation.failure;
  }

  receive(bytes: Uint8Array): void {
    if (!this.#conversation.finished) this.#incoming.queue.push(bytes);
  }

  end(): void {
    this.#conversation.peerEnded = true;
  }

  /**
   * On `"drain"` a server whose client has asked before still takes one request, which may be on its way, and answers it with
   * `Connection: close`. How long it is waited for is the driver's business: its deadline `goodbye`.
   */
  notify(notice: Notice): void {
    switch (notice) {
      case "drain":
        this.#conversation.drain(this.resting);
        break;
      case "timeout":
        this.#conversation.expired = true;
        break;
      default:
        assertNever(notice);
    }
  }

  next(): HttpEvent | undefined {
    return this.#receiver.next();
  }

  /** @throws HttpError `wrong-state`, `bad-reply`, `bad-request`, `length-mismatch`, before a byte is made. */
  send(reply: HttpReply): Output {
    return this.#sender.send(reply);
  }

  /** What was received and not read, for the protocol that takes over after a switch. */
  rest(): Uint8Array {
    return this.#incoming.queue.takeSome() ?? new Uint8Array();
  }
}

function noDate(): string {
  return "";
}
