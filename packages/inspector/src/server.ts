// Serves the page and its records by http-lite. It knows paths and status codes; what is kept is the hub's business.
import { randomBytes } from "node:crypto";
import { serveHttp } from "@tcpkit/http-lite";
import type { HttpRequest, HttpResponse } from "@tcpkit/http-lite";
import type { EventLog, Listener } from "@tcpkit/core";
import { eventStream } from "./event-stream.ts";
import { refuse } from "./guard.ts";
import { Hub } from "./hub.ts";
import type { HubOptions } from "./hub.ts";
import { guardFields, loadPage } from "./page.ts";
import type { Asset } from "./page.ts";
import type { Service } from "./service.ts";

export interface InspectorOptions extends HubOptions {
  /** The port to listen on, 0 for any free one. Default: 0. */
  readonly port?: number | undefined;
  /** The address to listen on. Default: `"127.0.0.1"`. Anybody who can reach it sees everything that is recorded. */
  readonly host?: string | undefined;
  /** Names besides `localhost` under which a browser may ask, without a port. Default: none. */
  readonly names?: readonly string[] | undefined;
  /** The servers that a reader can try; a function is asked each time. Default: none. */
  readonly services?: readonly Service[] | (() => readonly Service[]) | undefined;
  /** How long records are collected before they are sent to a page, in milliseconds. Default: 50. */
  readonly frame?: number | undefined;
  /** The longest silence towards a page, in milliseconds. Default: 5,000. */
  readonly heartbeat?: number | undefined;
}

/**
 * Serves a page that shows, live, what an event log sees: connections, chunks, messages and states. It keeps the
 * newest records, within `limits`, from now on. The page's own connections are not recorded.
 * @throws TcpError as `listen` of `@tcpkit/core`.
 */
export async function serveInspector(log: EventLog, options: InspectorOptions = {}): Promise<Listener> {
  const { port, host } = options;
  const hub = new Hub(log, options);
  const ending = new AbortController();
  try {
    const site = new Site(hub, await loadPage(), ending.signal, options);
    const listener = await serveHttp((request) => site.answer(request), {
      port,
      host,
      service: "inspector",
    });
    listener.once("close", () => hub[Symbol.dispose]());
    return endingFirst(listener, ending);
  } catch (error) {
    hub[Symbol.dispose]();
    throw error;
  }
}

/** Lets `close()` end the event streams first: they have no end of their own, and a drain waits for every reply. */
function endingFirst(listener: Listener, ending: AbortController): Listener {
  const close = listener.close.bind(listener);
  listener.close = (options) => {
    ending.abort();
    return close(options);
  };
  return listener;
}

/** What can be asked for, and the answers. */
class Site {
  /** Proves that a command comes from a page that this run has served. */
  readonly #token = randomBytes(16).toString("base64url");
  readonly #run = randomBytes(6).toString("base64url");
  readonly #hub: Hub;
  readonly #page: ReadonlyMap<string, Asset>;
  readonly #ending: AbortSignal;
  readonly #options: InspectorOptions;
  #streams = 0;

  constructor(hub: Hub, page: ReadonlyMap<string, Asset>, ending: AbortSignal, options: InspectorOptions) {
    this.#hub = hub;
    this.#page = page;
    this.#ending = ending;
    this.#options = options;
  }

  answer(request: HttpRequest): HttpResponse {
    const { method, path, headers } = request;
    const asked = {
      method,
      host: headers.get("host"),
      origin: headers.get("origin"),
      token: headers.get("x-tcpkit-token"),
    };
    const refusal = refuse(asked, this.#token, this.#options.names ?? []);
    if (refusal !== undefined) return text(refusal.status, refusal.message);
    if (method === "POST" && path === "/clear") return this.#clear();
    if (method !== "GET" && method !== "HEAD") return text(405, "Only reading.", { allow: "GET, HEAD" });
    const asset = this.#page.get(path);
    if (asset !== undefined) return reply(200, asset.type, asset.bytes);
    if (path === "/events") return this.#events(request);
    if (path === "/services.json") return reply(200, "application/json", JSON.stringify(this.#services()));
    if (path === "/clear") return text(405, "This is a command: POST it.", { allow: "POST" });
    return text(404, "There is nothing here.");
  }

  #clear(): HttpResponse {
    this.#hub.clear();
    return { status: 204, headers: guardFields };
  }

  #services(): readonly Service[] {
    const { services = [] } = this.#options;
    return typeof services === "function" ? services() : services;
  }

  #events(request: HttpRequest): HttpResponse {
    if (this.#streams >= this.#hub.limits.pages) return text(503, "Too many pages are open: close one.");
    const { frame = 50, heartbeat = 5000 } = this.#options;
    const last = Number(request.headers.get("last-event-id") ?? 0);
    const stream = eventStream(this.#hub, {
      run: this.#run,
      token: this.#token,
      after: Number.isSafeInteger(last) && last > 0 ? last : 0,
      signal: AbortSignal.any([request.signal, this.#ending]),
      frame,
      heartbeat,
    });
    return reply(200, "text/event-stream", this.#counted(stream));
  }

  async *#counted(stream: AsyncGenerator<string, void>): AsyncGenerator<string, void> {
    this.#streams += 1;
    try {
      yield* stream;
    } finally {
      this.#streams -= 1;
    }
  }
}

function reply(status: number, type: string, body: HttpResponse["body"]): HttpResponse {
  return { status, headers: { ...guardFields, "content-type": type }, body };
}

function text(status: number, message: string, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return {
    status,
    headers: { ...guardFields, ...headers, "content-type": "text/plain; charset=utf-8" },
    body: `${message}\n`,
  };
}
