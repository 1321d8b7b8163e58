// A request as a caller gives it, made ready for a session: with its Host, and its body at hand or still to come. It
// knows no connection; whether the fields may be sent as they are, the session checks.
import { localError } from "../errors.ts";
import { pairsOf } from "../fields.ts";
import type { HeadersInit, RequestReply } from "../messages.ts";
import { isGivenByPieces } from "../pieces.ts";
import type { Body } from "../pieces.ts";
import { HttpSession } from "../session.ts";
import { checkHost, hostFor } from "./target.ts";

/** What a request may carry; an iterable, asynchronous or not, is sent as fast as the server takes it. */
export type RequestBody = Body;

/** A body that follows its head. */
export type LaterBody = Exclude<RequestBody, null | undefined>;

/** Fields behind a body, or what gives them when it has ended. */
export type RequestTrailers = HeadersInit | (() => HeadersInit);

/** A request as it is given. */
export interface MessageParts {
  readonly method: string;
  /** In the form that the method asks for. */
  readonly target: string;
  /** The server's. It is the `Host` unless the target or the headers name another one. */
  readonly host: string;
  readonly headers?: HeadersInit | undefined;
  readonly body?: RequestBody;
  readonly trailers?: RequestTrailers | undefined;
  /** Other protocols that it offers. */
  readonly protocols?: readonly string[] | undefined;
}

/** What is sent for one request. */
export interface Message {
  /** Complete in itself, or, when there is a `rest`, open. */
  readonly head: RequestReply;
  readonly rest: LaterBody | undefined;
  /** Behind the rest, which is in chunks. */
  readonly trailers: RequestTrailers | undefined;
  /** The rest waits for 100 (Continue), for a while (RFC 9110 §10.1.1). */
  readonly expects: boolean;
  /** Sending it twice does no more than sending it once (RFC 9110 §9.2.2), and its body can be sent again. */
  readonly repeatable: boolean;
  /** It may be sent while others are not answered, and others behind it: idempotent, without a body (RFC 9112 §9.3.2). */
  readonly pipelines: boolean;
}

/** Methods that mean content: that there is none is said (RFC 9110 §8.6). */
const WITH_CONTENT: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** RFC 9110 §9.2.2: the safe methods, PUT and DELETE. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** @throws HttpError `bad-request`. */
export function messageOf(parts: MessageParts): Message {
  const { method, target, body } = parts;
  const given = readFields(parts);
  const { fields, expects, hasLength } = given;
  const streamed = isGivenByPieces(body);
  const absent = body === undefined || body === null;
  const trailers = readTrailers(parts.trailers, streamed && !hasLength);
  const repeatable = !streamed && IDEMPOTENT.has(method);
  const pipelines = repeatable && absent && !given.hasConnection && parts.protocols === undefined;
  if (!streamed && !expects) {
    const content = absent && WITH_CONTENT.has(method) ? "" : body;
    const head = { type: "request", method, target, headers: fields, body: content } as const;
    return { head, rest: undefined, trailers, expects, repeatable, pipelines };
  }
  if (absent) throw localError("bad-request", "Expect needs a body that can wait (RFC 9110 §10.1.1)");
  if (!streamed && !hasLength) fields.push(["Content-Length", String(Buffer.byteLength(body))]);
  const head = { type: "request", method, target, headers: fields, open: true } as const;
  const message = { head, rest: body, trailers, expects, repeatable, pipelines };
  // What is wrong with them must not be found when the body has been sent.
  if (typeof trailers === "object") check(message);
  return message;
}

/** @throws HttpError what a session would throw that is to send it. */
export function check({ head, trailers }: Message): void {
  const session = new HttpSession({ role: "client" });
  session.send(head);
  if (typeof trailers === "object") session.send({ type: "end", trailers });
}

interface Fields {
  readonly fields: [name: string, value: string][];
  readonly hasLength: boolean;
  readonly hasConnection: boolean;
  readonly expects: boolean;
}

/** The fields, with those that the client makes, and which of those there are that decide how the request is sent. */
function readFields({ headers = {}, host, target, protocols }: MessageParts): Fields {
  const fields: [name: string, value: string][] = [];
  let hasHost = false;
  let hasLength = false;
  let hasConnection = false;
  let expects = false;
  for (const [name, value] of pairsOf(headers)) {
    const key = name.toLowerCase();
    if (key === "host") {
      checkHost(value, target);
      hasHost = true;
    } else if (key === "content-length") hasLength = true;
    else if (key === "connection") hasConnection = true;
    else if (key === "expect") expects = true;
    else if (key === "upgrade") throw localError("bad-request", "another protocol is asked for by upgrade()");
    fields.push([name, value]);
  }
  // RFC 9110 §7.2: Host should stand first.
  if (!hasHost) fields.unshift(["Host", hostFor(target, host)]);
  if (protocols !== undefined) {
    if (protocols.length === 0) throw localError("bad-request", "an upgrade offers at least one protocol");
    fields.push(["Upgrade", protocols.join(", ")]);
  }
  return { fields, hasLength, hasConnection, expects };
}

/** RFC 9112 §7.1.2: there is no other place for trailers than behind chunks. */
function readTrailers(trailers: RequestTrailers | undefined, chunked: boolean): RequestTrailers | undefined {
  if (trailers === undefined) return undefined;
  if (!chunked)
    throw localError("bad-request", "trailers need a body in chunks: an iterable without a length");
  return typeof trailers === "function" ? trailers : [...pairsOf(trailers)];
}
