// A request as a caller gives it, made ready for a session: with its Host, and its body at hand or still to come. It
// knows no connection; whether the fields may be sent as they are, the session checks.
import { localError } from "../errors.ts";
import { pairsOf } from "../fields.ts";
import type { HeadersInit, RequestReply } from "../messages.ts";
import { HttpSession } from "../session.ts";

/** What a request may carry. */
export type RequestBody = string | Uint8Array | AsyncIterable<Uint8Array | string> | null | undefined;

/** A body that follows its head. */
export type LaterBody = Exclude<RequestBody, null | undefined>;

/** What is sent for one request. */
export interface Message {
  /** Complete in itself, or, when there is a `rest`, open. */
  readonly head: RequestReply;
  readonly rest: LaterBody | undefined;
  /** The rest waits for 100 (Continue), for a while (RFC 9110 §10.1.1). */
  readonly expects: boolean;
  /** Sending it twice does no more than sending it once (RFC 9110 §9.2.2), and its body can be sent again. */
  readonly repeatable: boolean;
}

/** RFC 9110 §9.2.2: the safe methods, PUT and DELETE. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** @throws HttpError `bad-request`. */
export function messageOf(
  method: string,
  target: string,
  headers: HeadersInit | undefined,
  body: RequestBody,
  host: string,
): Message {
  const absolute = /^https?:\/\//i.test(target);
  if (!target.startsWith("/") && !absolute && !(target === "*" && method === "OPTIONS")) {
    throw localError("bad-request", 'a path begins with "/" (RFC 9112 §3.2)');
  }
  const fields: [name: string, value: string][] = [];
  let hasHost = false;
  let hasLength = false;
  let expects = false;
  if (headers !== undefined) {
    for (const [name, value] of pairsOf(headers)) {
      const key = name.toLowerCase();
      if (key === "host") hasHost = true;
      else if (key === "content-length") hasLength = true;
      else if (key === "expect") expects = true;
      fields.push([name, value]);
    }
  }
  // RFC 9110 §7.2: Host should stand first.
  if (!hasHost) fields.unshift(["Host", host]);
  const streamed = isIterable(body);
  const repeatable = !streamed && IDEMPOTENT.has(method);
  if (!streamed && !expects) {
    return {
      head: { type: "request", method, target, headers: fields, body },
      rest: undefined,
      expects,
      repeatable,
    };
  }
  if (body === undefined || body === null) {
    throw localError("bad-request", "Expect needs a body that can wait (RFC 9110 §10.1.1)");
  }
  if (!streamed && !hasLength) fields.push(["Content-Length", String(Buffer.byteLength(body))]);
  const head = { type: "request", method, target, headers: fields, open: true } as const;
  return { head, rest: body, expects, repeatable };
}

/** @throws HttpError what a session would throw that is to send it. */
export function check(message: Message): void {
  new HttpSession({ role: "client" }).send(message.head);
}

function isIterable(body: RequestBody): body is AsyncIterable<Uint8Array | string> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
