// What comes of asking for another protocol, as the caller sees it. Types alone: who makes them is connection.ts.
import type { Duplex } from "node:stream";
import type { HeaderMap } from "../fields.ts";
import type { Version } from "../messages.ts";
import type { HttpClientResponse } from "./reply.ts";

/** The server accepts: the connection is the caller's (RFC 9110 §7.8, §9.3.6). */
export interface HttpSwitched {
  readonly type: "switched";
  /** 101, or, to CONNECT, any 2xx. */
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  /** Of an upgrade, `upgrade` names what the server has chosen. */
  readonly headers: HeaderMap;
  /**
   * The connection, which begins with the bytes behind the reply's head. Listen to its `error` at once: from here on errors,
   * deadlines and its end are the caller's business, and neither the client nor the request's `signal` closes it.
   */
  readonly stream: Duplex;
}

/** The server goes on with HTTP: this is its reply, to be read or discarded as any other. */
export interface HttpRefused {
  readonly type: "refused";
  readonly reply: HttpClientResponse;
}
