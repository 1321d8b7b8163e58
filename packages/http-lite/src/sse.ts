// Server-sent events: text frames on a reply that stays open (WHATWG HTML §9.2). It knows events, not sockets.
import { localError } from "./errors.ts";
import type { HttpResponse } from "./handler.ts";
import type { HttpRequest } from "./request.ts";

/** One event, a comment, or both. */
export interface ServerSentEvent {
  /** For whoever reads the stream; a client ignores it. May have several lines. Goes before the event. */
  readonly comment?: string | undefined;
  /** What a client gives back as `Last-Event-ID` when it connects again. No line breaks, no NUL. */
  readonly id?: string | undefined;
  /** The event's type. Default for the client: `"message"`. No line breaks. */
  readonly event?: string | undefined;
  /** May have several lines. */
  readonly data?: string | undefined;
  /** How long a client waits before it connects again, in milliseconds. */
  readonly retry?: number | undefined;
}

export interface EventStreamOptions {
  /** A comment is sent after this long without an event, in milliseconds; 0 for never. Default: 15,000. */
  readonly heartbeat?: number | undefined;
  /** In place of `Content-Type: text/event-stream` and `Cache-Control: no-store`, in whatever case, or beside them. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The id of the last event that the client has seen; `undefined` when it connects for the first time. */
export function lastEventId(request: HttpRequest): string | undefined {
  return request.headers.get("last-event-id");
}

const FIELDS = [
  ["Content-Type", "text/event-stream"],
  ["Cache-Control", "no-store"],
] as const;

/** A reply whose body is the events of `source`, as they come. */
export function eventStream(
  source: AsyncIterable<ServerSentEvent>,
  options: EventStreamOptions = {},
): HttpResponse {
  const { headers = {}, heartbeat = 15_000 } = options;
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const own = FIELDS.filter(([name]) => !given.has(name.toLowerCase()));
  return {
    headers: { ...Object.fromEntries(own), ...headers },
    body: { [Symbol.asyncIterator]: () => new Frames(source[Symbol.asyncIterator](), heartbeat) },
  };
}

/** The frame of one event. @throws HttpError `bad-reply` for a line break where none may stand. */
export function formatEvent({ comment, id, event, data, retry }: ServerSentEvent): string {
  let frame = "";
  if (comment !== undefined) for (const line of linesOf(comment)) frame += `: ${line}\n`;
  if (event !== undefined) frame += `event: ${oneLine("event", event)}\n`;
  if (id !== undefined) frame += `id: ${oneLine("id", id)}\n`;
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0)
      throw localError("bad-reply", "retry is whole milliseconds");
    frame += `retry: ${retry}\n`;
  }
  if (data !== undefined) for (const line of linesOf(data)) frame += `data: ${line}\n`;
  return `${frame}\n`;
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}

function oneLine(name: string, text: string): string {
  for (const forbidden of ["\r", "\n", "\0"]) {
    if (text.includes(forbidden)) throw localError("bad-reply", `${name} holds a line break or NUL`);
  }
  return text;
}

/** A comment: it keeps proxies from closing the connection, and shows us that a client is gone. */
const HEARTBEAT = ":\n\n";

/** Frames out of events, with a heartbeat while there are none. */
class Frames implements AsyncIterator<string> {
  readonly #source: AsyncIterator<ServerSentEvent>;
  readonly #heartbeat: number;
  /** An event is being waited for; that goes on across heartbeats. */
  #asked = false;
  #result: IteratorResult<ServerSentEvent> | undefined;
  #error: { readonly cause: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(source: AsyncIterator<ServerSentEvent>, heartbeat: number) {
    this.#source = source;
    this.#heartbeat = heartbeat;
  }

  async next(): Promise<IteratorResult<string>> {
    if (!this.#asked) {
      this.#asked = true;
      void this.#ask();
    }
    if (this.#result === undefined && this.#error === undefined) await this.#wait();
    if (this.#error !== undefined) throw this.#error.cause;
    const result = this.#result;
    if (result === undefined) return { done: false, value: HEARTBEAT };
    this.#result = undefined;
    this.#asked = false;
    return result.done === true
      ? { done: true, value: undefined }
      : { done: false, value: formatEvent(result.value) };
  }

  async return(): Promise<IteratorResult<string>> {
    this.#result = { done: true, value: undefined };
    this.#wake?.();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  async #ask(): Promise<void> {
    try {
      const result = await this.#source.next();
      this.#result ??= result;
    } catch (cause) {
      this.#error = { cause };
    }
    this.#wake?.();
  }

  /** Resolves when the event has come, or when a heartbeat is due. */
  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#heartbeat > 0 ? setTimeout(resolve, this.#heartbeat).unref() : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
