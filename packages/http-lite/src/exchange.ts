// Runs a handler for each request of one connection and sends what it returns. It knows events and replies; the
// driver does the rest.
import { assertNever, ByteStream, recycle } from "@tcpkit/core";
import type { Connection, Peer } from "@tcpkit/core";
import { HttpError, isOfPeer, localError } from "./errors.ts";
import type { HttpHandler, HttpResponse, HttpResult } from "./handler.ts";
import type { HttpLimits } from "./limits.ts";
import type { ErrorEvent, HeadersInit, HttpEvent, HttpReply, RequestEvent } from "./messages.ts";
import { giveUp, isGivenByPieces, isPromise, sendPieces, sourceOf } from "./pieces.ts";
import type { Source } from "./pieces.ts";
import { HttpRequest } from "./request.ts";
import type { RequestContext } from "./request.ts";
import type { TakeOver } from "./upgrade.ts";
import { REASONS } from "./wire.ts";

export interface ExchangeSettings {
  readonly limits: HttpLimits;
  /** Must not throw. */
  readonly onError: (error: unknown, request: HttpRequest) => void;
}

/**
 * The exchanges of one connection, one after the other.
 *
 * The promise for a reply never rejects, since nobody may be there to hear it: who makes one has it end in `#answerError`.
 */
export class Exchanges implements RequestContext {
  readonly #connection: Connection;
  readonly #handler: HttpHandler;
  readonly #settings: ExchangeSettings;
  #peer: Peer<HttpReply> | undefined;
  /** The request in hand; `undefined` once its reply is complete. */
  #request: HttpRequest | undefined;
  /** Its body, while that is arriving. */
  #stream: ByteStream | undefined;
  /** Pending while the reply to a request with a body is being made. */
  #answer: Promise<void> | undefined;
  /** The iterator of a reply that is being streamed. */
  #source: Source | undefined;
  /** The head of the reply has left. */
  #begun = false;

  constructor(connection: Connection, handler: HttpHandler, settings: ExchangeSettings) {
    this.#connection = connection;
    this.#handler = handler;
    this.#settings = settings;
    connection.on("close", () => this.#onClose());
  }

  get remoteAddress(): string {
    const { remote } = this.#connection;
    return remote?.kind === "tcp" ? remote.host : "";
  }

  get maxBodyBytes(): number {
    return this.#settings.limits.maxBodyBytes;
  }

  get secure(): boolean {
    return this.#connection.tls !== undefined;
  }

  get gone(): boolean {
    return this.#connection.closed;
  }

  /** What the driver calls for each event. */
  readonly handle = (event: HttpEvent, peer: Peer<HttpReply>): void | Promise<void> => {
    switch (event.type) {
      case "request":
        this.#peer = peer;
        if (event.framing.type === "none") return this.#run(new HttpRequest(event, this), peer);
        return this.#runWithBody(event, peer);
      case "data":
        return this.#stream?.push(event.bytes);
      case "end":
        this.#stream?.end();
        this.#stream = undefined;
        return this.#answer;
      case "error":
        return this.#refuse(event, peer);
      case "response":
      case "informational":
        throw localError("wrong-state", "a server receives no replies");
      default:
        return assertNever(event);
    }
  };

  inform(request: HttpRequest, status: number, headers: HeadersInit | undefined): void {
    if (request !== this.#request || this.#begun) {
      throw localError("wrong-state", "an interim reply comes before the final one");
    }
    this.#peer?.send({ type: "informational", status, headers });
  }

  /** The handler works beside the arriving body: the driver goes on, and waits for the reply at the body's end. */
  #runWithBody(event: RequestEvent, peer: Peer<HttpReply>): void {
    const onStart = (): void => {
      if (event.expectsContinue && this.#stream === stream && !this.#begun) {
        peer.send({ type: "informational", status: 100 });
      }
    };
    // Session and exchange hold no piece that they have handed on.
    const stream = new ByteStream(onStart, recycle);
    this.#stream = stream;
    this.#answer = this.#run(new HttpRequest(event, this, stream), peer) ?? undefined;
  }

  #run(request: HttpRequest, peer: Peer<HttpReply>): void | Promise<void> {
    this.#request = request;
    this.#begun = false;
    try {
      const result = this.#handler(request);
      if (isPromise(result)) return this.#runLater(request, peer, result);
      return this.#reply(request, peer, result);
    } catch (error) {
      return this.#answerError(request, peer, error);
    }
  }

  async #runLater(request: HttpRequest, peer: Peer<HttpReply>, promise: Promise<HttpResult>): Promise<void> {
    let result: HttpResult;
    try {
      result = await promise;
    } catch (error) {
      return this.#answerError(request, peer, error);
    }
    return this.#reply(request, peer, result);
  }

  /** Sends a reply: at once when its body is at hand, otherwise as its iterable gives it. */
  #reply(request: HttpRequest, peer: Peer<HttpReply>, result: HttpResult): void | Promise<void> {
    try {
      // Answered already, by an error: what the handler made meanwhile comes too late.
      if (request !== this.#request) {
        if (typeof result === "object" && "body" in result) giveUp(sourceOf(result.body));
        return undefined;
      }
      if (typeof result === "string") {
        peer.send({ type: "response", status: 200, body: result });
      } else if (typeof result !== "object") {
        throw localError("bad-reply", `a handler returns a reply or a string, not ${String(result)}`);
      } else if ("takeOver" in result) {
        return this.#handOver(request, peer, result);
      } else {
        const { status = 200, reason, headers, body, trailers } = result;
        if (isGivenByPieces(body) || trailers !== undefined) return this.#streamReply(request, peer, result);
        peer.send({ type: "response", status, reason, headers, body });
      }
    } catch (error) {
      return this.#answerError(request, peer, error);
    }
    return this.#finish();
  }

  /** HTTP ends here. @throws HttpError `bad-reply` where the request does not allow that, before anything is sent. */
  #handOver(request: HttpRequest, peer: Peer<HttpReply>, { takeOver, status, headers }: TakeOver): void {
    peer.send({ type: "switch", status, headers });
    this.#finish();
    const stream = peer.takeOver();
    const onFailed = (error: unknown): void => {
      this.#settings.onError(error, request);
      stream.destroy();
    };
    try {
      const taken: unknown = takeOver(stream);
      if (isPromise(taken)) taken.then(undefined, onFailed);
    } catch (error) {
      onFailed(error);
    }
  }

  async #streamReply(request: HttpRequest, peer: Peer<HttpReply>, response: HttpResponse): Promise<void> {
    let source: Source | undefined;
    try {
      const { status = 200, reason, headers, body, trailers } = response;
      source = sourceOf(body);
      this.#source = source;
      // Nobody would see the content: it is not made.
      const contentless = request.method === "HEAD" || status === 204 || status === 205 || status === 304;
      // Asked before the head leaves: a source that reads the request's body sends 100 (Continue) by that.
      const first = contentless ? undefined : source?.next();
      // Where the head is refused, nobody awaits it.
      if (isPromise(first)) first.then(undefined, () => undefined);
      const ready = peer.send({ type: "response", status, reason, headers, open: true });
      this.#begun = true;
      if (source === undefined) {
        if (typeof body === "string" || body instanceof Uint8Array) peer.send({ type: "data", bytes: body });
      } else if (first === undefined) {
        giveUp(source);
      } else {
        await sendPieces(source, first, peer, ready);
      }
      peer.send({ type: "end", trailers: typeof trailers === "function" ? trailers() : trailers });
    } catch (error) {
      giveUp(source);
      return this.#answerError(request, peer, error);
    } finally {
      this.#source = undefined;
    }
    return this.#finish();
  }

  /** The reply is complete: who still reads the request's body must not take what comes for its end. */
  #finish(): void {
    this.#request = undefined;
    this.#stream?.fail(new HttpError("aborted", "the reply was complete before the body was read"));
  }

  /** The handler failed: 500, or the status of an error that the client caused; too late for either: the connection's end. */
  #answerError(request: HttpRequest, peer: Peer<HttpReply>, error: unknown): void {
    if (request !== this.#request || this.gone) return;
    const known = isOfPeer(error) ? error : undefined;
    const answered = !this.#begun && known !== undefined && this.#canSend(errorReply(known), peer);
    if (!answered) {
      // Also told of an error with a status, or fields, that cannot be sent.
      if (known === undefined || !this.#begun) this.#settings.onError(error, request);
      if (this.#begun || !this.#canSend(FAILED, peer)) this.#cut(request, error);
    }
    this.#finish();
  }

  /** Sends it, unless the session refuses it: then nothing has left. */
  #canSend(reply: HttpReply, peer: Peer<HttpReply>): boolean {
    try {
      peer.send(reply);
      return true;
    } catch {
      return false;
    }
  }

  /** Nobody may take what has left for the whole. */
  #cut(request: HttpRequest, error: unknown): void {
    const cause = error instanceof Error ? error : new Error("the handler failed", { cause: error });
    // To HTTP/1.0 an end of the connection may be the end of the body: only a reset says that it is not.
    if (request.version === "1.0") this.#connection.reset({ kind: "local", cause });
    else this.#connection.destroy({ kind: "local", cause });
  }

  /** The client broke the protocol or was too slow. */
  #refuse({ error }: ErrorEvent, peer: Peer<HttpReply>): void {
    const request = this.#request;
    const stream = this.#stream;
    this.#request = undefined;
    this.#stream = undefined;
    request?.abort();
    stream?.fail(error);
    // In the rest of a body whose request is answered: there is nothing to say.
    if (request === undefined && stream !== undefined) return;
    if (request !== undefined && this.#begun) this.#connection.destroy({ kind: "protocol", cause: error });
    else peer.send(errorReply(error));
  }

  #onClose(): void {
    this.#request?.abort();
    this.#stream?.fail(new HttpError("incomplete", "the client closed the connection before the body's end"));
    giveUp(this.#source);
  }
}

const FAILED: HttpReply = { type: "response", status: 500, body: "500 Internal Server Error\n" };

function errorReply(error: HttpError): HttpReply {
  const { status, code, message, headers } = error;
  const body = `${status} ${REASONS[status] ?? ""}: ${message} (${code})\n`;
  return { type: "response", status, headers, body };
}
