// Serves applications that speak Fetch: a handler that turns our request into a Request, and a Response into our reply.
// How each of the two is made is in fetch-request.ts and fetch-response.ts.
import { HttpError } from "./errors.ts";
import type { HttpHandler, HttpResponse } from "./handler.ts";
import { teachRequests, teachResponses } from "./fetch-globals.ts";
import { LazyRequest } from "./fetch-request.ts";
import { replyOf } from "./fetch-response.ts";
import { urlOf } from "./fetch-url.ts";
import type { HttpRequest } from "./request.ts";

/**
 * A Fetch application: the `fetch` of Hono, h3 and others. Its second argument, which Hono calls `c.env`, is our own
 * request: for `remoteAddress`, say, or `sendInformational`.
 */
export type FetchApplication = (request: Request, http: HttpRequest) => Response | Promise<Response>;

export interface FetchOptions {
  /**
   * Replaces `globalThis.Response` as well, by a proxy whose `new Response("text")` holds a text rather than a stream, so that
   * text, HTML and JSON leave in half the time. It passes for the platform's wherever a Response is asked for its properties;
   * code that looks into private fields, such as `Cache.put`, refuses it. Default: true.
   */
  readonly replaceResponse?: boolean | undefined;
}

/**
 * A handler for `serveHttp` that runs a Fetch application.
 *
 * The Request costs next to nothing until it is used: headers, body, signal and the platform's own Request are made when they
 * are asked for. So that `new Request(request)` and `fetch(request)` work with it as with any other, the first call replaces
 * `globalThis.Request` and `globalThis.fetch` by proxies that look through it, and change nothing else; about
 * `globalThis.Response` see the option.
 *
 * `text()`, `json()`, `formData()` and the like gather at most `limits.maxBodyBytes`, and reject with HttpError
 * `body-too-large` (413) over it, and so do those of a `clone()`; `body` and a `new Request(request)`
 * have no bound. A host of which no URL can be made is answered 400.
 *
 * A Response whose body is at hand goes out whole, with its Content-Length; any other is streamed under backpressure, and its
 * stream is cancelled when the client goes. When the stream fails, so does the connection, so that nobody takes the part for
 * the whole. `Transfer-Encoding` and other fields about the connection are left out, but for `Connection: close`.
 */
export function fetchHandler(application: FetchApplication, options: FetchOptions = {}): HttpHandler {
  teachRequests();
  if (options.replaceResponse !== false) teachResponses();
  return (http) => {
    const url = urlOf(http.secure ? "https" : "http", http.host, http.target);
    if (url === undefined) throw new HttpError("bad-host", "no URL can be made of this Host and target");
    const response = application(new LazyRequest(http, url), http);
    return response instanceof Promise ? answerLater(http.method, response) : replyOf(http.method, response);
  };
}

async function answerLater(method: string, response: Promise<Response>): Promise<HttpResponse> {
  return replyOf(method, await response);
}
