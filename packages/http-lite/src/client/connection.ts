// One connection that carries exchanges, one after the other. It knows events and replies; the driver does the rest.
// Which request comes next, is the pool's business.
import { assertNever, Deadline, drive } from "@tcpkit/core";
import type { CloseReason, Connection, Peer } from "@tcpkit/core";
import { HttpError, localError } from "../errors.ts";
import { NO_FIELDS } from "../fields.ts";
import type { HeaderMap } from "../fields.ts";
import type { HttpClientDeadlines, HttpLimits } from "../limits.ts";
import type { HttpEvent, HttpReply, InformationalEvent, ResponseEvent } from "../messages.ts";
import { httpProtocol } from "../protocol.ts";
import { HttpSession } from "../session.ts";
import type { Call } from "./call.ts";
import { closedEarly, replyTimeout } from "./failures.ts";
import { Reply } from "./reply.ts";
import { ReplyBody } from "./reply-body.ts";
import type { BodyOwner } from "./reply-body.ts";
import { Upload } from "./upload.ts";
import type { UploadOwner } from "./upload.ts";

/** Where connections are kept. */
export interface ConnectionOwner {
  /** The exchange is over; there may be another one, if it is `usable`. */
  onFree(connection: ClientConnection): void;
  /** It carries no more; `repeat` is to be sent once more, on a new one. */
  onSpent(connection: ClientConnection, repeat?: Call): void;
  onClosed(connection: ClientConnection): void;
}

export interface ClientConnectionOptions {
  readonly limits: HttpLimits;
  readonly deadlines: HttpClientDeadlines;
}

/** What is awaited: the time for it is short, or bounded. */
type Awaited = "next request" | "continue" | "head" | "body";

export class ClientConnection implements BodyOwner, UploadOwner {
  readonly #connection: Connection;
  readonly #owner: ConnectionOwner;
  readonly #limits: HttpLimits;
  readonly #deadlines: HttpClientDeadlines;
  readonly #deadline: Deadline;
  readonly #session: HttpSession;
  readonly #peer: Peer<HttpReply>;
  #awaited: Awaited = "next request";
  /** The exchange in hand. */
  #call: Call | undefined;
  #upload: Upload | undefined;
  #body: ReplyBody | undefined;
  /** The reply is complete; its request may not be. */
  #replied = false;
  /** The server wants to go on after this reply. */
  #persists = true;
  /** Bytes of the reply's body still to come; Infinity when that is not known. */
  #left = Infinity;
  /** The rest of the body is read and dropped. */
  #dropping = false;
  /** It carried an exchange before the one in hand. */
  #kept = false;
  /** Bytes received before the exchange in hand. */
  #before = 0;

  constructor(connection: Connection, owner: ConnectionOwner, options: ClientConnectionOptions) {
    const { limits, deadlines } = options;
    const session = new HttpSession({ role: "client", limits });
    this.#connection = connection;
    this.#owner = owner;
    this.#limits = limits;
    this.#deadlines = deadlines;
    this.#session = session;
    this.#deadline = new Deadline(connection.timer, () => this.#onExpired());
    connection.on("close", (reason) => this.#onClose(reason));
    // What is awaited here depends on the exchange: the driver's deadlines know too little of it.
    const waits = { firstByte: Infinity, idle: Infinity, message: Infinity, write: deadlines.write };
    const protocol = { ...httpProtocol(), session: () => session };
    this.#peer = drive(connection, protocol, this.#handle, { deadlines: waits });
  }

  /** Nobody has ended it. */
  get usable(): boolean {
    const { writable, closeReason } = this.#connection;
    return writable && closeReason === undefined && !this.#session.finished;
  }

  /** Sends a request; it is free again when the reply has come. */
  run(call: Call): void {
    const { head, rest, expects } = call.message;
    try {
      this.#peer.send(head);
    } catch (error) {
      // Refused before a byte was made: the connection is as it was.
      call.fail(error);
      this.#owner.onFree(this);
      return;
    }
    this.#call = call;
    call.onGivenUp = this.#giveUp;
    this.#replied = false;
    if (rest === undefined) {
      this.#await("head");
      return;
    }
    this.#upload = new Upload(rest, this.#peer, this);
    if (expects) this.#await("continue");
    else this.#startUpload();
  }

  /** Nothing is asked any more: waits for the next request, for a while. */
  rest(): void {
    this.#await("next request");
  }

  close(): void {
    this.#peer.close();
  }

  destroy(error: HttpError): void {
    if (this.#call === undefined) this.#connection.destroy();
    else this.#call.fail(error);
  }

  onRoom(): void {
    this.#await("body");
  }

  onLeft(error: HttpError): void {
    if (this.#left > this.#limits.maxDiscardBytes) return this.#giveUp(error);
    // Cheaper than a new connection, as long as it comes soon: no piece moves the deadline any more.
    this.#dropping = true;
    this.#await("body");
  }

  onUploaded(): void {
    if (this.#replied) this.#finish();
    else if (this.#body === undefined) this.#await("head");
  }

  onUploadFailed(error: unknown): void {
    // A server may answer before it has read everything, and close: then its answer counts.
    if (this.#connection.writable) this.#giveUp(error);
  }

  readonly #handle = (event: HttpEvent): void | Promise<void> => {
    // Given up: nobody is there to hear what was on its way. An error is always this connection's end.
    if (this.#call === undefined && event.type !== "error") return undefined;
    switch (event.type) {
      case "informational":
        return this.#onInformational(event);
      case "response":
        return this.#onResponse(event);
      case "data":
        return this.#onData(event.bytes);
      case "end":
        return this.#onReplied(event.trailers);
      case "error":
        return this.#lose(event.error, event.error.code === "incomplete");
      case "request":
        throw localError("wrong-state", "a client receives no requests");
      default:
        return assertNever(event);
    }
  };

  #onInformational(event: InformationalEvent): void {
    try {
      this.#call?.inform(event);
    } catch (error) {
      this.#giveUp(error);
      return;
    }
    if (event.status === 100 && this.#upload?.state === "held") this.#startUpload();
  }

  #onResponse(event: ResponseEvent): void {
    const { framing } = event;
    const body = new ReplyBody(this);
    this.#body = body;
    this.#persists = event.persists;
    this.#left = framing.type === "length" ? framing.length : Infinity;
    this.#call?.answer(new Reply(event, body, this.#limits.maxBodyBytes));
    if (framing.type === "none") this.#onReplied(NO_FIELDS);
    else this.#await("body");
  }

  #onData(bytes: Uint8Array): void | Promise<void> {
    this.#left -= bytes.length;
    if (this.#dropping) return undefined;
    const full = this.#body?.push(bytes);
    // While the reader is slow, it is not the server who is late.
    if (full === undefined) this.#await("body");
    else this.#deadline.clear();
    return full;
  }

  #onReplied(trailers: HeaderMap): void {
    this.#deadline.clear();
    this.#replied = true;
    this.#body?.end(trailers);
    const sending = this.#upload?.state;
    if (sending === undefined || sending === "sent") this.#finish();
    // The server may still be reading: only `close` says that it is not (RFC 9112 §9.5, §9.6).
    else if (sending !== "started" || !this.#persists) this.#stop();
  }

  /** The exchange is over. */
  #finish(): void {
    const call = this.#call;
    this.#reset();
    call?.complete();
    if (this.#session.partial) {
      const cause = new HttpError(
        "unexpected-bytes",
        "bytes came behind the reply that no request asked for",
      );
      this.#connection.destroy({ kind: "protocol", cause });
    }
    this.#owner.onFree(this);
  }

  /** The reply is complete, and the rest of its request is not wanted: this connection cannot be told so but by its end. */
  #stop(): void {
    const call = this.#call;
    this.#reset();
    this.#owner.onSpent(this);
    call?.complete();
    this.#peer.close();
  }

  readonly #giveUp = (error: unknown): void => {
    this.#lose(error, false);
    this.#connection.destroy(error instanceof Error ? { kind: "aborted", cause: error } : undefined);
  };

  /** There will be no reply, or no rest of it. `stale`: maybe because the server had closed before it saw the request. */
  #lose(error: unknown, stale: boolean): void {
    const call = this.#call;
    const body = this.#body;
    const unseen = this.#kept && this.#connection.bytesReceived === this.#before;
    this.#reset();
    body?.fail(error);
    if (call === undefined || !stale || !unseen || !call.message.repeatable || call.repeated) {
      this.#owner.onSpent(this);
      call?.fail(error);
    } else {
      this.#owner.onSpent(this, call);
    }
  }

  /** Lets go of the exchange in hand. */
  #reset(): void {
    if (this.#call !== undefined) this.#call.onGivenUp = undefined;
    this.#call = undefined;
    this.#body = undefined;
    this.#upload?.stop();
    this.#upload = undefined;
    this.#dropping = false;
    this.#deadline.clear();
    this.#kept = true;
    this.#before = this.#connection.bytesReceived;
  }

  #startUpload(): void {
    this.#deadline.clear();
    this.#upload?.start();
  }

  #await(what: Awaited): void {
    this.#awaited = what;
    this.#deadline.set(this.#deadlines[what === "next request" ? "idle" : what]);
  }

  #onExpired(): void {
    const awaited = this.#awaited;
    switch (awaited) {
      case "next request":
        this.#owner.onSpent(this);
        return this.#peer.close();
      case "continue":
        // RFC 9110 §10.1.1: a client must not wait for ever; not every server knows the expectation.
        return this.#startUpload();
      case "head":
      case "body": {
        const error = replyTimeout(awaited, this.#deadlines);
        this.#lose(error, false);
        return this.#connection.destroy({ kind: "timeout", deadline: "message", cause: error });
      }
      default:
        return assertNever(awaited);
    }
  }

  #onClose(reason: CloseReason): void {
    this.#deadline[Symbol.dispose]();
    this.#lose(closedEarly(reason), reason.kind === "reset" || reason.kind === "ended");
    this.#owner.onClosed(this);
  }
}
