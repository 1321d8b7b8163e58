// A stream of server-sent events: one tick a second, until the client or the server goes.
import { setTimeout as sleep } from "node:timers/promises";
import { eventStream, lastEventId } from "@tcpkit/http-lite";
import type { HttpRequest, HttpResponse, ServerSentEvent } from "@tcpkit/http-lite";

const SECOND = 1000;

/** Answers `GET /events`. A client that comes back says in Last-Event-ID where it was, and goes on from there. */
export function ticks(request: HttpRequest, draining: AbortSignal): HttpResponse {
  const last = /^\d{1,9}$/.exec(lastEventId(request) ?? "")?.[0] ?? "0";
  return eventStream(tick(Number(last), AbortSignal.any([request.signal, draining])));
}

async function* tick(last: number, over: AbortSignal): AsyncGenerator<ServerSentEvent, void, undefined> {
  for (let id = last + 1; !over.aborted; id += 1) {
    yield { id: String(id), event: "tick", data: JSON.stringify({ time: new Date().toISOString() }) };
    // The wait ends early by a rejection; the loop's condition says why.
    await sleep(SECOND, undefined, { signal: over }).catch(() => {});
  }
}
