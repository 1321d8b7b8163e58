// Server-sent events, as frames and over a connection.
import { describe, expect, it } from "vitest";
import { eventStream, formatEvent, HttpError, lastEventId, request, serveHttp } from "../src/index.ts";
import type { ServerSentEvent } from "../src/index.ts";
import { promised } from "./wire.ts";

describe("a frame", () => {
  it.each<[ServerSentEvent, string]>([
    [{ data: "x" }, "data: x\n\n"],
    [{ data: "a\nb\r\nc\rd" }, "data: a\ndata: b\ndata: c\ndata: d\n\n"],
    [{ data: "" }, "data: \n\n"],
    [{ id: "7", event: "tick", data: "x", retry: 500 }, "event: tick\nid: 7\nretry: 500\ndata: x\n\n"],
    [{ id: "" }, "id: \n\n"],
    [{ comment: "still here" }, ": still here\n\n"],
    [{ comment: "" }, ": \n\n"],
    [{ comment: "why", data: "x" }, ": why\ndata: x\n\n"],
    [{ comment: "a\ndata: b\r\n\r\nevent: c\rid: d" }, ": a\n: data: b\n: \n: event: c\n: id: d\n\n"],
  ])("%o", (event, frame) => {
    expect(formatEvent(event)).toBe(frame);
  });

  it.each<ServerSentEvent>([{ id: "a\nb" }, { id: "a\0" }, { event: "a\rb" }, { retry: -1 }, { retry: 1.5 }])(
    "refuses %o",
    (event) => {
      expect(() => formatEvent(event)).toThrow(HttpError);
    },
  );
});

describe("a stream", () => {
  it("carries events as they come, with a heartbeat between, from where the client left off", async () => {
    const next = promised<void>();
    const source = async function* (from: number): AsyncGenerator<ServerSentEvent> {
      yield { id: String(from), data: "first" };
      await next.promise;
      yield { id: String(from + 1), data: "second" };
    };
    await using http = await serveHttp((asked) =>
      eventStream(source(Number(lastEventId(asked) ?? 0) + 1), { heartbeat: 20 }),
    );
    const reply = await request({ port: http.port, headers: { "Last-Event-ID": "41" } });
    expect(reply.headers.get("content-type")).toBe("text/event-stream");
    let text = "";
    for await (const piece of reply.body) {
      text += Buffer.from(piece).toString();
      if (text.includes(":\n\n")) next.resolve();
    }
    expect(text).toMatch(/^id: 42\ndata: first\n\n(:\n\n)+id: 43\ndata: second\n\n$/);
  });

  it("has the headers that are given in place of its own, whatever their case", async () => {
    const source = async function* (): AsyncGenerator<ServerSentEvent> {};
    await using http = await serveHttp(({ path }) =>
      eventStream(source(), {
        headers:
          path === "/type"
            ? { "content-type": "text/event-stream; charset=utf-8", "X-Tag": "t" }
            : { "CACHE-CONTROL": "no-cache" },
      }),
    );
    const fields = async (path: string): Promise<string[]> => {
      const { headers } = await request({ port: http.port, path });
      const names = ["content-type", "cache-control", "x-tag"];
      return [...headers.lines()]
        .filter(([name]) => names.includes(name.toLowerCase()))
        .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
        .toSorted();
    };
    expect(await fields("/type")).toEqual([
      "cache-control: no-store",
      "content-type: text/event-stream; charset=utf-8",
      "x-tag: t",
    ]);
    expect(await fields("/cache")).toEqual(["cache-control: no-cache", "content-type: text/event-stream"]);
  });

  it("finds by its heartbeat that the client is gone, and tells its source to stop", async () => {
    const stopped = promised<void>();
    const silent: AsyncIterable<ServerSentEvent> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: () => {
          stopped.resolve();
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    await using http = await serveHttp(() => eventStream(silent, { heartbeat: 20 }));
    const reply = await request({ port: http.port });
    reply.discard();
    await stopped.promise;
  });
});
