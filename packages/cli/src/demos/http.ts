// The demo HTTP server: its routes. What goes over the wire is http-lite's; what is said about it is the page's.
import type { EventLog, Listener } from "@tcpkit/core";
import { files, serveHttp } from "@tcpkit/http-lite";
import type { HttpHandler, HttpRequest, HttpResponse, HttpResult } from "@tcpkit/http-lite";
import type { Report } from "../events.ts";
import { printable } from "../printable.ts";
import { reasonOf } from "../reason.ts";
import { page, pageFields } from "./page.ts";
import { pattern } from "./pattern.ts";
import { routed, text } from "./routes.ts";
import type { Methods } from "./routes.ts";
import { ticks } from "./ticks.ts";
import type { Language, Translate } from "../messages/index.ts";

export interface HttpDemoOptions {
  readonly host: string;
  readonly port: number;
  readonly tap: EventLog | undefined;
  /** Served under `/files/`; nothing is when it is `undefined`. */
  readonly directory: string | undefined;
  /** Aborts when the server begins to drain. */
  readonly draining: AbortSignal;
  readonly report: Report;
  readonly say: Translate;
  readonly language: Language;
}

/** Most pieces that `/stream` sends. */
const MOST_PIECES = 1_000_000;
/** Most bytes that `/bytes` sends: one TiB. They are made as they go, so the number is only a sensible end. */
const MOST_BYTES = 2 ** 40;

/** Serves the demo routes. @throws TcpError as core's `listen`. */
export function serveHttpDemo(options: HttpDemoOptions): Promise<Listener> {
  const { host, port, tap } = options;
  const onError = (error: unknown): void => {
    options.report({ event: "failed", service: "http", reason: printable(reasonOf(error)) });
  };
  return serveHttp(demoHandler(options), { host, port, tap, onError });
}

/** The handler alone. */
function demoHandler({ directory, draining, say, language }: HttpDemoOptions): HttpHandler {
  const start = ({ headers }: HttpRequest): HttpResponse => {
    const host = headers.get("host") ?? "127.0.0.1";
    return { headers: pageFields, body: page(say, language, { host, files: directory !== undefined }) };
  };
  const hello: HttpResponse = { headers: { "Content-Type": "text/plain" }, body: "Hello, World!" };
  const below: Record<string, Methods> = {};
  if (directory !== undefined) below["/files/"] = { GET: files(directory, { prefix: "/files/" }) };
  return routed({
    exact: {
      "/": { GET: start, POST: echo },
      "/hello": { GET: () => hello },
      "/echo": { POST: echo },
      "/headers": { GET: headerLines },
      "/stream": { GET: stream },
      "/bytes": { GET: bytes },
      "/events": { GET: (request) => ticks(request, draining) },
      "/healthz": { GET: () => (draining.aborted ? text(503, "draining\n") : text(200, "ok\n")) },
    },
    below,
  });
}

/** The request's body comes back as it comes in, at the pace at which the client takes it. */
async function echo({ body, headers }: HttpRequest): Promise<HttpResult> {
  const pieces = body[Symbol.asyncIterator]();
  // Asked for before the reply begins: a client that waits for "100 Continue" gets it first (RFC 9110 §10.1.1).
  const first = await pieces.next();
  return {
    headers: {
      "Content-Type": headers.get("content-type") ?? "application/octet-stream",
      "Content-Length": headers.get("content-length"),
      // A page of another site may post HTML here: it must not run as ours.
      "Content-Security-Policy": "sandbox; default-src 'none'",
      "X-Content-Type-Options": "nosniff",
    },
    body: first.done === true ? "" : resume(first, pieces),
  };
}

async function* resume(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
}

/** The field lines as they were received, in order and in their own case. */
function headerLines({ headers }: HttpRequest): HttpResult {
  let lines = "";
  for (const [name, value] of headers.lines()) lines += `${name}: ${value}\r\n`;
  // Bytes stay bytes: a value outside ASCII goes back as it came.
  return { headers: { "Content-Type": "text/plain" }, body: Buffer.from(lines, "latin1") };
}

/** A body without a length: each line is a chunk of its own. */
function stream({ query }: HttpRequest): HttpResult {
  const count = countOf(query, MOST_PIECES, 10);
  if (count === undefined) return badCount(MOST_PIECES);
  return { headers: { "Content-Type": "text/plain" }, body: lines(count) };
}

// oxlint-disable-next-line require-await -- asynchronous because a body is
async function* lines(count: number): AsyncGenerator<string, void, undefined> {
  for (let number = 1; number <= count; number += 1) yield `chunk ${number} of ${count}\n`;
}

/** A body with a length, made while it is sent. */
function bytes({ query }: HttpRequest): HttpResult {
  const count = countOf(query, MOST_BYTES, 1024);
  if (count === undefined) return badCount(MOST_BYTES);
  const headers = { "Content-Type": "application/octet-stream", "Content-Length": count };
  return { headers, body: pattern(count) };
}

/** The query's `n`; `undefined` when it is not a whole number from 0 to `most`. */
function countOf(query: URLSearchParams, most: number, standard: number): number | undefined {
  const value = query.get("n");
  if (value === null) return standard;
  return /^\d{1,15}$/.test(value) && Number(value) <= most ? Number(value) : undefined;
}

function badCount(most: number): HttpResult {
  return text(400, `400 Bad Request: n must be a whole number from 0 to ${most}.\n`);
}
