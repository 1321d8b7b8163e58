// The server that the clients of others talk to, and how many connections they opened.
import type { Listener } from "@tcpkit/core";
import { eventStream, serveHttp } from "../src/index.ts";
import type { HttpRequest, HttpResult } from "../src/index.ts";

/** What `GET /large` gives: 3 MB in which no two places look alike. */
export const large: Buffer = Buffer.alloc(3_000_000);
for (let at = 0; at < large.length; at += 4) large.writeUInt32LE(at, at);

export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Connections accepted since the last call. */
  opened(): number;
}

export async function serveClients(): Promise<Served> {
  const http: Listener = await serveHttp(answer, { port: 0 });
  let count = 0;
  http.on("connection", () => (count += 1));
  return {
    port: http.port,
    url: `http://127.0.0.1:${http.port}`,
    opened() {
      const opened = count;
      count = 0;
      return opened;
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** A body comes back framed as it was sent, which is said too; otherwise the path says what there is. */
function answer({ method, path, query, headers, body }: HttpRequest): HttpResult {
  if (method === "POST" || method === "PUT") {
    const length = headers.get("content-length");
    const framing = length === undefined ? (headers.get("transfer-encoding") ?? "none") : `length ${length}`;
    const type = headers.get("content-type") ?? "application/octet-stream";
    return { headers: { "Content-Type": type, "Content-Length": length, "X-Framing": framing }, body };
  }
  if (path === "/large") return { body: large };
  if (path === "/stream") return { body: pieces() };
  if (path === "/events") return eventStream(events());
  if (path === "/page") {
    return { headers: { "Content-Type": "text/html" }, body: "<!doctype html><title>page</title>" };
  }
  return `hello ${path} ${query.get("name") ?? ""}`;
}

async function* pieces(): AsyncGenerator<string> {
  for (const piece of ["one ", "two ", "three"]) yield await Promise.resolve(piece);
}

async function* events(): AsyncGenerator<{ data: string }> {
  for (const data of ["one", "two"]) yield await Promise.resolve({ data });
}
