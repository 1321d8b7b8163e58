// Which path and method goes where, and the answers for those that go nowhere. It knows no single route.
import type { HttpHandler, HttpRequest, HttpResponse, HttpResult } from "@tcpkit/http-lite";

/** The methods of one path. HEAD is answered by GET (its content is left out on the wire), OPTIONS by the table. */
export type Methods = Readonly<Partial<Record<"GET" | "POST", HttpHandler>>>;

export interface Routes {
  /** By the whole path. */
  readonly exact: Readonly<Record<string, Methods>>;
  /** By the beginning of the path, which ends in `/`. */
  readonly below: Readonly<Record<string, Methods>>;
}

/** One handler for a table of routes: 404 for other paths, 405 with Allow for other methods (RFC 9110 §15.5.6). */
export function routed({ exact, below }: Routes): HttpHandler {
  const paths = new Map(Object.entries(exact));
  const prefixes = Object.entries(below);
  return (request) => {
    const { path, method } = request;
    const methods = paths.get(path) ?? prefixes.find(([prefix]) => path.startsWith(prefix))?.[1];
    if (methods === undefined) return method === "OPTIONS" && path === "*" ? options() : notFound(request);
    const handler = handlerOf(methods, method);
    if (handler !== undefined) return handler(request);
    return method === "OPTIONS" ? options(methods) : methodNotAllowed(request, methods);
  };
}

/** A short answer in words: what is wrong, and a way out. */
export function text(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers }, body };
}

function handlerOf(methods: Methods, method: string): HttpHandler | undefined {
  switch (method) {
    case "GET":
    case "HEAD":
      return methods.GET;
    case "POST":
      return methods.POST;
    default:
      return undefined;
  }
}

/** The Allow field of a path (RFC 9110 §10.2.1); without a path, of the server as a whole. */
function allow(methods: Methods | undefined): string {
  const list: string[] = [];
  if (methods === undefined || methods.GET !== undefined) list.push("GET", "HEAD");
  if (methods === undefined || methods.POST !== undefined) list.push("POST");
  return [...list, "OPTIONS"].join(", ");
}

function options(methods?: Methods): HttpResponse {
  return { status: 204, headers: { Allow: allow(methods) } };
}

function notFound({ path }: HttpRequest): HttpResult {
  return text(404, `404 Not Found: there is nothing at ${path}; GET / lists what there is.\n`);
}

function methodNotAllowed({ method, path }: HttpRequest, methods: Methods): HttpResult {
  const allowed = allow(methods);
  return text(405, `405 Method Not Allowed: ${path} takes ${allowed}, not ${method}.\n`, { Allow: allowed });
}
