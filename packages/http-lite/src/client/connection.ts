// One connection that carries exchanges, one after the other. It knows events and replies; the driver does the rest.
// Which request comes next, is the pool's business.
//
// One exchange is in hand. Behind it there may be requests that were sent and are not answered (RFC 9112 §9.3.2): all of
// them can be sent again, so whatever ends this connection, they are, on another one.
import { assertNever, drive } from "@tcpkit/core";
import type { CloseReason, Connection, Peer } from "@tcpkit/core";
import { HttpError, localError, ofClient } from "../errors.ts";
import { NO_FIELDS } from "../fields.ts";
import type { HeaderMap } from "../fields.ts";
import type { HttpClientDeadlines, HttpLimits } from "../limits.ts";
import type { HttpEvent, HttpReply, InformationalEvent, ResponseEvent } from "../messages.ts";
import { httpProtocol } from "../protocol.ts";
import { HttpSession } from "../session.ts";
import type { Call } from "./call.ts";
import { Exchange } from "./exchange.ts";
import { closedEarly, replyTimeout } from "./failures.ts";
import { Patience } from "./patience.ts";
import type { Awaited } from "./patience.ts";
import { Reply } from "./reply.ts";
import { ReplyBody } from "./reply-body.ts";
import type { BodyOwner } from "./reply-body.ts";
import { Upload } from "./upload.ts";
import type { UploadOwner } from "./upload.ts";

/** Where connections are kept. */
export interface ConnectionOwner {
  /** An exchange is over; there may be another one, if it is `usable`. */
  onFree(connection: ClientConnection): void;
  /** It takes no more; `repeats` are to be sent once more, elsewhere. */
  onSpent(connection: ClientConnection, repeats?: readonly Call[]): void;
  /** It has closed, or is another one's from now on. */
  onClosed(connection: ClientConnection): void;
}

export interface ClientConnectionOptions {
  readonly limits: HttpLimits;
  readonly deadlines: HttpClientDeadlines;
  /** Most requests that are sent and not answered. */
  readonly pipelining: number;
}

export class ClientConnection implements BodyOwner, UploadOwner {
  readonly #connection: Connection;
  readonly #owner: ConnectionOwner;
  readonly #options: ClientConnectionOptions;
  readonly #patience: Patience;
  readonly #session: HttpSession;
  readonly #peer: Peer<HttpReply>;
  #exchange: Exchange | undefined;
  /** Sent behind the exchange in hand, in this order. */
  readonly #behind: Call[] = [];
  /** It carried an exchange before the one in hand. */
  #kept = false;
  /** Its latest reply is of HTTP/1.1 and persists: so requests may be pipelined (RFC 9112 §9.3.2). */
  #proven = false;
  /** Closes when what is in hand, and what is still behind it, is answered. */
  #leaving = false;
  /** Bytes received before the session's first. */
  readonly #base: number;
  /** Bytes received up to the reply that is awaited. */
  #before: number;

  constructor(connection: Connection, owner: ConnectionOwner, options: ClientConnectionOptions) {
    const { limits, deadlines, pipelining } = options;
    const session = new HttpSession({ role: "client", limits, pipelining });
    this.#connection = connection;
    this.#owner = owner;
    this.#options = options;
    this.#session = session;
    this.#base = connection.bytesReceived;
    this.#before = this.#base;
    this.#patience = new Patience(connection.timer, deadlines, (awaited) => this.#onExpired(awaited));
    connection.on("close", (reason) => this.#onClose(reason));
    // What is awaited here depends on the exchange: the driver's deadlines know too little of it.
    const waits = { firstByte: Infinity, idle: Infinity, message: Infinity, write: deadlines.write };
    const protocol = { ...httpProtocol(), session: () => session };
    // A server may answer, and read no more, while a request is on its way.
    this.#peer = drive(connection, protocol, this.#handle, { deadlines: waits, pullWhileSlow: true });
  }

  /** Nobody has ended it. */
  get usable(): boolean {
    const { writable, closeReason } = this.#connection;
    return writable && closeReason === undefined && !this.#session.finished;
  }

  /** Requests that are sent and not answered. */
  get pending(): number {
    return this.#exchange === undefined ? 0 : 1 + this.#behind.length;
  }

  /** This one may be sent now: nothing is in hand, or it can wait behind what is. */
  takes(call: Call): boolean {
    const exchange = this.#exchange;
    if (!this.usable || this.#leaving) return false;
    if (exchange === undefined) return true;
    const room = this.pending < this.#options.pipelining && this.#proven && exchange.persists;
    return room && call.pipelines && exchange.call.pipelines;
  }

  /** Sends a request. `false`: it was refused before a byte was made, and the connection is as it was. */
  run(call: Call): boolean {
    // It is in its place before it is sent: in memory its reply may be there before `send` returns.
    const exchange = this.#exchange === undefined ? this.#begin(call) : undefined;
    if (exchange === undefined) {
      call.wait(this.#connection.timer, this.#options.deadlines);
      this.#behind.push(call);
    }
    call.onGivenUp = this.#giveUp;
    try {
      this.#peer.send(call.message.head);
    } catch (error) {
      if (exchange === undefined) this.#takeBehind(-1);
      else this.#release();
      call.fail(error);
      return false;
    }
    if (exchange !== undefined && this.#exchange === exchange) this.#proceed(exchange);
    return true;
  }

  /** Nothing is asked any more: waits for the next request, for a while. */
  rest(): void {
    this.#patience.await("next request");
  }

  close(): void {
    this.#peer.close();
  }

  destroy(error: HttpError): void {
    for (const call of this.#takeBehind()) call.fail(error);
    if (this.#exchange === undefined) this.#connection.destroy();
    else this.#exchange.call.fail(error);
  }

  onRoom(): void {
    this.#patience.await("body");
  }

  onLeft(error: HttpError): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (exchange.left > this.#options.limits.maxDiscardBytes) return this.#abort(error);
    // Cheaper than a new connection, as long as it comes soon: no piece moves the deadline any more.
    exchange.dropping = true;
    this.#patience.await("body");
  }

  onUploaded(): void {
    if (this.#exchange !== undefined) this.#onSent(this.#exchange);
  }

  onUploadFailed(error: unknown): void {
    // A server may answer before it has read everything, and close: then its answer counts.
    if (this.#connection.writable) this.#abort(error);
  }

  readonly #handle = (event: HttpEvent): void | Promise<void> => {
    const exchange = this.#exchange;
    if (event.type === "error") return this.#lose(ofClient(event.error), event.error.code === "incomplete");
    // Given up: nobody is there to hear what was on its way.
    if (exchange === undefined) return undefined;
    switch (event.type) {
      case "informational":
        return this.#onInformational(exchange, event);
      case "response":
        return event.switches ? this.#onSwitched(exchange, event) : this.#onResponse(exchange, event);
      case "data":
        return this.#onData(exchange, event.bytes);
      case "end":
        return this.#onReplied(exchange, event.trailers, event.end);
      case "request":
        throw localError("wrong-state", "a client receives no requests");
      default:
        return assertNever(event);
    }
  };

  #onInformational({ call, upload }: Exchange, event: InformationalEvent): void {
    try {
      call.inform(event);
    } catch (error) {
      this.#abort(error);
      return;
    }
    if (event.status === 100 && upload?.state === "held") this.#start(upload);
  }

  #onResponse(exchange: Exchange, event: ResponseEvent): void {
    const { framing, persists, version } = event;
    const body = new ReplyBody(this);
    exchange.body = body;
    exchange.persists = persists;
    exchange.left = framing.type === "length" ? framing.length : Infinity;
    this.#proven = persists && version === "1.1";
    exchange.call.answer(new Reply(event, body, this.#options.limits.maxBodyBytes));
    if (framing.type === "none") this.#onReplied(exchange, NO_FIELDS, event.end);
    else this.#patience.await("body");
  }

  /** HTTP ends here, and the connection is the caller's. */
  #onSwitched({ call }: Exchange, { status, reason, version, headers }: ResponseEvent): void {
    this.#release();
    this.#patience[Symbol.dispose]();
    this.#owner.onSpent(this);
    this.#owner.onClosed(this);
    const stream = this.#peer.takeOver();
    call.switch({ type: "switched", status, reason, version, headers, stream });
  }

  #onData(exchange: Exchange, bytes: Uint8Array): void | Promise<void> {
    exchange.left -= bytes.length;
    if (exchange.dropping) return undefined;
    const full = exchange.body?.push(bytes);
    // While the reader is slow, it is not the server who is late.
    if (full === undefined) this.#patience.await("body");
    else this.#patience.clear();
    return full;
  }

  /** The reply is complete; it ended at this offset. */
  #onReplied(exchange: Exchange, trailers: HeaderMap, end: number): void {
    this.#patience.clear();
    exchange.replied = true;
    this.#before = this.#base + end;
    exchange.body?.end(trailers);
    const sending = exchange.upload?.state;
    const sent = sending === undefined || sending === "sent";
    // The server may still be reading: only `close` says that it is not (RFC 9112 §9.5, §9.6).
    if (sent && exchange.persists) this.#onSent(exchange);
    else if (sent) this.#finish(exchange);
    else if (sending !== "started" || !exchange.persists) this.#stop(exchange);
  }

  /** All of its request is given to the connection: what is large is still on its way. */
  #onSent(exchange: Exchange): void {
    const large = this.#connection.congested && !exchange.call.pipelines;
    if (large) this.#peer.drained().then(() => this.#onTaken(exchange), ignore);
    else this.#onTaken(exchange);
  }

  /** The server has taken its request. */
  #onTaken(exchange: Exchange): void {
    if (exchange !== this.#exchange) return;
    if (exchange.replied) this.#finish(exchange);
    else if (exchange.body === undefined) this.#patience.await("head");
  }

  /** The exchange is over: the next one is in hand, if the connection goes on. */
  #finish({ call }: Exchange): void {
    this.#release();
    this.#kept = true;
    call.complete();
    // Behind `close` nothing is answered (RFC 9112 §9.6).
    if (this.#session.finished) return this.#owner.onSpent(this, this.#takeBehind());
    const next = this.#behind.shift();
    if (next !== undefined) {
      this.#proceed(this.#begin(next));
    } else if (this.#leaving) {
      return this.#connection.destroy();
    } else if (this.#session.partial) {
      const cause = new HttpError(
        "unexpected-bytes",
        "bytes came behind the reply that no request asked for",
      );
      this.#connection.destroy({ kind: "protocol", cause });
    }
    this.#owner.onFree(this);
  }

  /** The reply is complete, and the rest of its request is not wanted: this connection cannot be told so but by its end. */
  #stop({ call }: Exchange): void {
    this.#release();
    this.#owner.onSpent(this);
    call.complete();
    // Not the peer: that would wait until the server has taken what is on its way.
    this.#connection.close();
  }

  readonly #giveUp = (error: unknown, call: Call): void => {
    if (call === this.#exchange?.call) this.#abort(error);
    else this.#leave(call);
  };

  /** What is in hand is given up, and with it the connection. */
  #abort(error: unknown): void {
    this.#lose(error, false);
    this.#connection.destroy(error instanceof Error ? { kind: "aborted", cause: error } : undefined);
  }

  /** Nobody wants the reply to `call`. What is ahead of it is still answered here, and what is behind it elsewhere. */
  #leave(call: Call): void {
    this.#leaving = true;
    const [, ...others] = this.#takeBehind(this.#behind.indexOf(call));
    this.#owner.onSpent(this, others);
  }

  /** There will be no reply, or no rest of it. `stale`: maybe because the server had closed before it saw the request. */
  #lose(error: unknown, stale: boolean): void {
    const { call, body, replied } = this.#exchange ?? {};
    const unseen = this.#kept && replied !== true && this.#connection.bytesReceived === this.#before;
    const again = stale && unseen && call?.message.repeatable === true && !call.repeated;
    const repeats = this.#takeBehind();
    this.#release();
    body?.fail(error);
    if (again) repeats.unshift(call);
    this.#owner.onSpent(this, repeats);
    if (!again) call?.fail(error);
  }

  /** In hand: its reply is the next one. */
  #begin(call: Call): Exchange {
    const { rest, trailers } = call.message;
    const upload = rest === undefined ? undefined : new Upload(rest, trailers, this.#peer, this);
    const exchange = new Exchange(call, upload);
    this.#exchange = exchange;
    call.proceed();
    return exchange;
  }

  /** Its head is sent: now its body is, or its reply awaited. */
  #proceed(exchange: Exchange): void {
    const { call, upload } = exchange;
    if (upload === undefined) this.#onSent(exchange);
    else if (call.message.expects) this.#patience.await("continue");
    else this.#start(upload);
  }

  /** Nothing is in hand. */
  #release(): void {
    this.#exchange?.release();
    this.#exchange = undefined;
    this.#patience.clear();
  }

  /** Those behind the exchange in hand, or the later ones of them, are not this connection's any more. */
  #takeBehind(from = 0): Call[] {
    const calls = this.#behind.splice(from);
    for (const call of calls) call.onGivenUp = undefined;
    return calls;
  }

  #start(upload: Upload): void {
    this.#patience.clear();
    upload.start();
  }

  #onExpired(awaited: Awaited): void {
    switch (awaited) {
      case "next request":
        this.#owner.onSpent(this);
        return this.#peer.close();
      case "continue":
        // RFC 9110 §10.1.1: a client must not wait for ever; not every server knows the expectation.
        return this.#exchange?.upload?.start();
      case "head":
      case "body": {
        const error = replyTimeout(awaited, this.#options.deadlines);
        this.#lose(error, false);
        return this.#connection.destroy({ kind: "timeout", deadline: "message", cause: error });
      }
      default:
        return assertNever(awaited);
    }
  }

  #onClose(reason: CloseReason): void {
    this.#patience[Symbol.dispose]();
    this.#lose(closedEarly(reason), reason.kind === "reset" || reason.kind === "ended");
    this.#owner.onClosed(this);
  }
}

function ignore(): void {
  // The connection is gone, and says so itself.
}
