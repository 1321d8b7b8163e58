// Makes events of the bytes we receive: a head, then the pieces of its body. It knows one message at a time; which
// message may come when, and what its absence means, is the session's business.
import { ByteQueue } from "@tcpkit/core";
import { bodyDecoder } from "./body.ts";
import type { BodyDecoder } from "./body.ts";
import { HttpError } from "./errors.ts";
import { HeaderMap, NO_FIELDS } from "./fields.ts";
import { Meaning } from "./framing.ts";
import { HeadScanner } from "./head.ts";
import type { HttpLimits } from "./limits.ts";
import { RequestEvent } from "./messages.ts";
import type { DataEvent, EndEvent, InformationalEvent, ResponseEvent } from "./messages.ts";
import { readMethod } from "./methods.ts";
import { checkTarget } from "./target.ts";

/** The incoming side of one connection. */
export class Incoming {
  /** Bytes received and not yet used. */
  readonly queue: ByteQueue = new ByteQueue();
  readonly #scanner: HeadScanner;
  readonly #meaning = new Meaning();
  readonly #limits: HttpLimits;
  #decoder: BodyDecoder | undefined;

  constructor(kind: "request" | "response", limits: HttpLimits) {
    this.#scanner = new HeadScanner(kind, limits);
    this.#limits = limits;
  }

  /** The connection may carry another exchange after this message, as far as its sender says. */
  get persists(): boolean {
    return this.#meaning.persists;
  }

  /** Bytes of the body still to come, as far as that is known; otherwise 0. */
  get remaining(): number {
    return this.#decoder?.remaining ?? 0;
  }

  /** A request's head; `undefined` while it has not all arrived. @throws HttpError. */
  takeRequest(): RequestEvent | undefined {
    const scanner = this.#scanner;
    const length = scanner.scan(this.queue);
    if (length === 0) return undefined;
    const { position: start, buffer, offset } = this.queue;
    const meaning = this.#meaning;
    const { methodEnd, targetEnd, minor } = scanner.line;
    meaning.readRequest(scanner, buffer, start, offset);
    const method = readMethod(buffer, start, start + methodEnd);
    const from = start + methodEnd + 1;
    const to = start + targetEnd;
    // Most targets are paths. The other forms are looked at as strings.
    if (buffer[from] !== 0x2f || method === "CONNECT") {
      checkTarget(method, buffer.toString("latin1", from, to), offset + methodEnd + 1);
    }
    const { framing } = meaning;
    if (method === "CONNECT" && framing.type !== "none") {
      throw new HttpError("conflicting-framing", "CONNECT has no body (RFC 9110 §9.3.6)", { offset });
    }
    const event = new RequestEvent({
      start: offset,
      end: offset + length,
      method,
      version: minor > 0 ? "1.1" : "1.0",
      headers: new HeaderMap(buffer, start, start + length, scanner.fields.spans),
      framing,
      expectsContinue: meaning.expectsContinue && framing.type !== "none",
      upgrade: meaning.upgrade,
      bytes: buffer,
      from,
      to,
    });
    this.#begin(length);
    return event;
  }

  /** A reply's head, interim or final, to a request with `method`; `undefined` as above. @throws HttpError. */
  takeResponse(method: string): ResponseEvent | InformationalEvent | undefined {
    const scanner = this.#scanner;
    const length = scanner.scan(this.queue);
    if (length === 0) return undefined;
    const { position: start, buffer, offset } = this.queue;
    const meaning = this.#meaning;
    const { status, minor, reasonStart, reasonEnd } = scanner.line;
    const switches = status === 101 || (method === "CONNECT" && status >= 200 && status < 300);
    if (switches) {
      // What its fields say of a body is ignored: another protocol begins (RFC 9110 §7.8, RFC 9112 §6.3).
      meaning.framing = { type: "none" };
      meaning.persists = false;
    } else {
      meaning.readResponse(scanner, buffer, start, offset, method);
    }
    const head = {
      status,
      reason: buffer.toString("latin1", start + reasonStart, start + reasonEnd),
      version: minor > 0 ? "1.1" : "1.0",
      headers: new HeaderMap(buffer, start, start + length, scanner.fields.spans),
      start: offset,
      end: offset + length,
    } as const;
    const { framing, persists } = meaning;
    this.#begin(length);
    return status < 200 && !switches
      ? { type: "informational", ...head }
      : { type: "response", ...head, framing, persists, switches };
  }

  /** A piece of the body or its end; `undefined` while more bytes are needed. @throws HttpError. */
  takePart(peerEnded: boolean): DataEvent | EndEvent | undefined {
    const decoder = this.#decoder;
    const part = decoder?.take(this.queue);
    if (part !== undefined || decoder === undefined) return part;
    if (!peerEnded || !decoder.endsAtClose) return undefined;
    const { offset } = this.queue;
    return { type: "end", trailers: NO_FIELDS, start: offset, end: offset };
  }

  /** The head has been used: its bytes are dropped, and what follows is its body. */
  #begin(length: number): void {
    const { framing } = this.#meaning;
    this.queue.skip(length);
    this.#scanner.reset();
    this.#decoder = framing.type === "none" ? undefined : bodyDecoder(framing, this.#limits);
  }
}
