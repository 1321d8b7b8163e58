// What a handler returns instead of a reply where HTTP ends on a connection: an accepted Upgrade, or a CONNECT. It
// knows requests and streams; what may be taken over, and in which words, is for the session.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { HeadersInit } from "./messages.ts";
import type { HttpRequest } from "./request.ts";

/** Takes the connection over: HTTP is done with it (RFC 9110 §7.8, §9.3.6). */
export interface TakeOver {
  /**
   * Gets the connection as a stream that begins with the bytes behind the request. Listen to its `error`: from here on
   * errors, deadlines and the end of the connection are the new owner's business. Should this throw, or return a promise that
   * rejects, `onError` hears of it, and the stream is destroyed.
   */
  readonly takeOver: (stream: Duplex) => void;
  /**
   * Sends a reply's head first: 101, with the protocol in an `Upgrade` field, or to CONNECT any 2xx. Default: nothing is
   * sent, since libraries such as `ws` write a 101 of their own.
   */
  readonly status?: number | undefined;
  /** Fields of that head. `Connection: Upgrade` is added. */
  readonly headers?: HeadersInit | undefined;
}

/** Those parts of a `node:http` request that WebSocket libraries look at. */
export interface NodeRequest extends Required<
  Pick<IncomingMessage, "method" | "url" | "httpVersion" | "headers">
> {
  readonly socket: { readonly remoteAddress?: string; readonly encrypted?: boolean };
}

/**
 * A request as `node:http` would show it, in plain values: for libraries that take over connections and know its requests,
 * such as `ws`. Repeated fields are joined, and their names are in lower case.
 */
export function nodeRequest(request: HttpRequest): NodeRequest {
  const { method, target, version, headers, remoteAddress, secure } = request;
  const names = new Set(Array.from(headers, ([name]) => name));
  // Not `headers[name] = …`: a field may be called __proto__.
  const fields = Object.fromEntries(Array.from(names, (name) => [name, headers.get(name)]));
  const socket = { remoteAddress, encrypted: secure };
  return { method, url: target, httpVersion: version, headers: fields, socket };
}
