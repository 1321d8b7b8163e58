// Every bound of this package, in bytes and in counts, each with its reason.
import { boundsOver } from "./bounds.ts";

export interface HttpLimits {
  /** Longest request target, in bytes; over it: 414. */
  readonly maxTargetBytes: number;
  /** Longest head (start line and field section), in bytes; over it: 431. */
  readonly maxHeadBytes: number;
  /** Most field lines in a head or in a trailer section; over it: 431. */
  readonly maxFields: number;
  /** Longest trailer section, in bytes; over it: 431. */
  readonly maxTrailerBytes: number;
  /** Chunk extensions of one message in total, in bytes; over it: 400. */
  readonly maxChunkExtensionBytes: number;
  /** What `text()` and `bytes()` gather at most, in bytes; over it: 413. Iterating the body has no bound. */
  readonly maxBodyBytes: number;
  /** What is read and dropped of a request body that the handler left unread, in bytes; over it: close. */
  readonly maxDiscardBytes: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  // RFC 9112 §3 recommends support for request lines of at least 8000 octets.
  maxTargetBytes: 8000,
  // Twice what node:http takes: cookies and bearer tokens of real sites fit; a thousand connections cost 32 MiB.
  maxHeadBytes: 32 * 1024,
  // A browser sends 15 to 30. Each line costs memory beyond its bytes, so the count is bounded too.
  maxFields: 100,
  // Trailers carry a checksum or a status, not cookies.
  maxTrailerBytes: 8 * 1024,
  // Nobody uses extensions; attackers use them to send bytes that are never counted as body.
  maxChunkExtensionBytes: 4 * 1024,
  // Enough for forms and JSON; whoever expects files iterates the body or raises it.
  maxBodyBytes: 1024 * 1024,
  // Reading 256 KiB costs less than a new connection; more than that may be an attack.
  maxDiscardBytes: 256 * 1024,
};

/** Those that were made here: all sessions of a server share its limits, and look at none of them again. */
const complete = new WeakSet<Partial<HttpLimits>>([DEFAULT_LIMITS]);

/**
 * Limits with the default ones where none are given, as they are now; what was made here is given back as it is.
 * @throws HttpError `bad-request` for one that is no whole number from 0 on, nor Infinity.
 */
export function withDefaults(limits: Partial<HttpLimits> = DEFAULT_LIMITS): HttpLimits {
  if (complete.has(limits)) return limits as HttpLimits;
  const all = boundsOver(DEFAULT_LIMITS, limits, true);
  complete.add(all);
  return all;
}

/** Empty lines skipped before a request line (RFC 9112 §2.2 asks for at least one). */
export const MAX_EMPTY_LINES = 2;

/** Longest method, in bytes. The longest registered one has 17 (UPDATEREDIRECTREF). */
export const MAX_METHOD_BYTES = 32;

/** Most empty members tolerated in a list (RFC 9110 §5.6.1.2: "a reasonable number"). */
export const MAX_EMPTY_LIST_MEMBERS = 8;

/** Most hexadecimal digits in a chunk size: 2^53-1 has 14, the rest are leading zeros. */
export const MAX_CHUNK_SIZE_DIGITS = 16;

/** Longest reason phrase of a reply, in bytes. */
export const MAX_REASON_BYTES = 512;

/** Most interim replies (1xx) to one request: each is progress, so without a bound they could go on for ever. */
export const MAX_INTERIM_REPLIES = 100;

export interface HttpDeadlines {
  /** A kept connection on which nothing has begun, in milliseconds. */
  readonly idle: number;
  /** From the first byte of a head to its last, and between two pieces of a body, in milliseconds. */
  readonly message: number;
  /** When the server drains: how long a kept connection may bring one more request, in milliseconds; 0 for none. */
  readonly goodbye: number;
  /** The peer takes nothing of what was written, in milliseconds. */
  readonly write: number;
}

export const DEFAULT_DEADLINES: HttpDeadlines = {
  // Load balancers keep their side of a connection for 60 s; closing first would race with their next request.
  idle: 65_000,
  // A head is one packet or two; ten seconds survive three lost ones. A byte now and then does not restart it.
  message: 10_000,
  // A request that was sent before our goodbye is here within a round trip; a client that has none loses nothing by it.
  goodbye: 100,
  // A reader that takes nothing for this long is gone, or holds our memory on purpose.
  write: 30_000,
};

/** How long a client waits, in milliseconds; `Infinity` for ever. */
export interface HttpClientDeadlines {
  /** For a connection to become free, where there are as many as may be, and for the replies ahead of a pipelined request. */
  readonly queue: number;
  /** For a connection, look-up and TLS included. */
  readonly connect: number;
  /**
   * For the reply's head in total, from the end of the request, or, where it was pipelined, from the end of the reply ahead of
   * it; interim replies do not restart it.
   */
  readonly head: number;
  /** Between two pieces of the reply's body. While the caller does not read, nothing is awaited. */
  readonly body: number;
  /** With `Expect: 100-continue`, until the body is sent although the server has not asked for it. */
  readonly continue: number;
  /** For the server to take something of what was written. */
  readonly write: number;
  /** How long a connection is kept without a request. */
  readonly idle: number;
}

export const DEFAULT_CLIENT_DEADLINES: HttpClientDeadlines = {
  // As long as the reply may take: whoever is before us in the queue waits no longer than that either.
  queue: 30_000,
  // Three SYNs (1, 2 and 4 s apart) fit.
  connect: 10_000,
  // Slow reports exist; proxies on the way give up after 60 s.
  head: 30_000,
  body: 30_000,
  // What curl waits (RFC 9110 §10.1.1 names no time).
  continue: 1000,
  write: 30_000,
  // Servers made with node:http close after 5 s. Closing first spares requests that would cross their FIN.
  idle: 4000,
};
