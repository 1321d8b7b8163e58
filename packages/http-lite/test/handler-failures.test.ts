// What a program gets wrong on the server: each failure ends its own exchange, at most its connection, and is told to
// `onError`. An unhandled rejection would fail the whole file.
import type { Listener } from "@tcpkit/core";
import { listen } from "@tcpkit/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { HttpClient, HttpError, serveHttp } from "../src/index.ts";
import type { HttpHandler, HttpServerOptions } from "../src/index.ts";
import { promised, Wire } from "./wire.ts";

const CLOSE = "Connection: close\r\n";
const GET = `GET / HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`;
/** A request whose body never comes to its end. */
const HALF = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab";

type OnError = NonNullable<HttpServerOptions["onError"]>;

afterEach(() => vi.restoreAllMocks());

/** Sends this on a connection of its own: the first line of what comes back. */
async function statusLine(listener: Listener, request: string): Promise<string> {
  await using wire = new Wire(listener);
  wire.send(request);
  return (await wire.until("\r\n")).split("\r\n")[0]!;
}

describe("an error of our own client, let through by a handler", () => {
  it.each([
    ["ends early", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"],
    ["says nothing", ""],
    ["speaks no HTTP", "ICY 200\r\n\r\n"],
    ["sends too large a head", `HTTP/1.1 200 OK\r\nX: ${"v".repeat(40_000)}\r\n\r\n`],
    ["uses an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
    ["sends more than text() gathers", `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(100)}`],
    ["sends a bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx"],
  ])("is ours, not our client's: 500, when the upstream %s", async (_name, reply) => {
    await using upstream = await listen({ port: 0 });
    upstream.on("connection", (connection) => {
      connection.once("data", () => {
        connection.write(reply, "latin1");
        connection.end();
      });
    });
    await using client = new HttpClient({ port: upstream.port, limits: { maxBodyBytes: 50 } });
    const onError = vi.fn<OnError>();
    await using http = await serveHttp(async () => await (await client.request()).text(), { onError });
    await using wire = new Wire(http);
    wire.send(GET);
    expect(await wire.ended()).toMatch(/^HTTP\/1\.1 500 .*\r\n\r\n500 Internal Server Error\n$/s);
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.any(HttpError), expect.anything());
  });

  it("is told to onError when the reply has begun", async () => {
    await using upstream = await listen({ port: 0 });
    upstream.on("connection", (connection) => {
      connection.once("data", () => {
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        connection.end();
      });
    });
    await using client = new HttpClient({ port: upstream.port });
    const onError = vi.fn<OnError>();
    await using http = await serveHttp(async () => ({ body: (await client.request()).body }), { onError });
    await using wire = new Wire(http);
    wire.send(GET);
    expect(await wire.ended()).not.toContain("0\r\n\r\n");
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: "incomplete" }),
      expect.anything(),
    );
  });

  it("is none where the request's own body failed on its way through the client", async () => {
    await using upstream = await serveHttp((request) => request.text());
    await using client = new HttpClient({ port: upstream.port });
    const onError = vi.fn<OnError>();
    await using http = await serveHttp(
      async (request) => {
        const body = (async function* () {
          yield await request.bytes();
        })();
        return await (await client.request({ method: "POST", body })).text();
      },
      { onError, limits: { maxBodyBytes: 1 } },
    );
    expect(await statusLine(http, HALF)).toBe("HTTP/1.1 413 Content Too Large");
    expect(onError).not.toHaveBeenCalled();
  });
});

describe("an HttpError that a handler throws itself", () => {
  const thrower =
    (status: number, headers?: Record<string, string>): HttpHandler =>
    async () => {
      throw new HttpError("bad-field", "no", headers === undefined ? { status } : { status, headers });
    };

  it("is answered by its status where that is the client's fault", async () => {
    const onError = vi.fn<OnError>();
    await using http = await serveHttp(thrower(422), { onError });
    expect(await statusLine(http, GET)).toBe("HTTP/1.1 422 Unprocessable Content");
    expect(onError).not.toHaveBeenCalled();
  });

  it.each([
    ["a status that is interim", thrower(100)],
    ["a status that is none", thrower(Number.NaN)],
    ["a field that cannot be sent", thrower(400, { "X-Y": "a\r\nb" })],
  ])("with %s is answered by 500, and told to onError", async (_name, handler) => {
    const onError = vi.fn<OnError>();
    await using http = await serveHttp(handler, { onError });
    expect(await statusLine(http, GET)).toBe("HTTP/1.1 500 Internal Server Error");
    expect(await statusLine(http, HALF)).toBe("HTTP/1.1 500 Internal Server Error");
    expect(onError).toHaveBeenCalledTimes(2);
    expect(onError).toHaveBeenCalledWith(expect.any(HttpError), expect.anything());
  });
});

describe("whatever else fails, while the request's body is still arriving too", () => {
  const broken: Iterable<string> = {
    [Symbol.iterator]: () => {
      throw new Error("no iterator");
    },
  };
  const later = <Value>(value: Value): Promise<Value> =>
    new Promise((resolve) => setImmediate(resolve, value));

  it.each<[string, OnError]>([
    [
      "throws",
      () => {
        throw new Error("logger");
      },
    ],
    ["rejects", () => Promise.reject(new Error("logger"))],
  ])("an onError that %s: 500 all the same, and a word on the console", async (_name, onError) => {
    const log = vi.spyOn(console, "error").mockReturnValue();
    await using http = await serveHttp(
      async () => {
        await later(undefined);
        throw new Error("handler");
      },
      { onError },
    );
    expect(await statusLine(http, HALF)).toBe("HTTP/1.1 500 Internal Server Error");
    expect(await statusLine(http, GET)).toBe("HTTP/1.1 500 Internal Server Error");
    expect(log).toHaveBeenCalledTimes(2);
    expect(log).toHaveBeenCalledWith(expect.any(String), expect.objectContaining({ message: "logger" }));
  });

  it.each<[string, HttpHandler]>([
    ["a body whose iterator cannot be made", () => later({ body: broken })],
    ["nothing", () => later(null as unknown as string)],
    ["what is no Error", () => Promise.reject(Object.create(null) as Error)],
  ])("%s, from a handler: 500", async (_name, handler) => {
    const onError = vi.fn<OnError>();
    await using http = await serveHttp(handler, { onError });
    expect(await statusLine(http, HALF)).toBe("HTTP/1.1 500 Internal Server Error");
    expect(await statusLine(http, GET)).toBe("HTTP/1.1 500 Internal Server Error");
    expect(onError).toHaveBeenCalledTimes(2);
  });

  it.each<[string, () => unknown]>([
    ["nothing", () => null],
    ["a body whose iterator cannot be made", () => ({ body: broken })],
  ])("%s, from a handler whose request is answered: others are served on", async (_name, result) => {
    const read = promised<void>();
    const go = promised<void>();
    await using http = await serveHttp(async (request) => {
      if (request.method === "GET") return "fine";
      await request.text().catch(() => read.resolve());
      await go.promise;
      return result() as string;
    });
    // A chunk that is none is answered at once.
    const bad = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx";
    expect(await statusLine(http, bad)).toBe("HTTP/1.1 400 Bad Request");
    await read.promise;
    go.resolve();
    await later(undefined);
    expect(await statusLine(http, GET)).toBe("HTTP/1.1 200 OK");
  });

  it("something that is no Error, in the middle of a reply: the connection", async () => {
    const onError = vi.fn<OnError>();
    await using http = await serveHttp(
      () => ({
        body: (async function* () {
          yield "part";
          throw Object.create(null) as Error;
        })(),
      }),
      { onError },
    );
    await using wire = new Wire(http);
    wire.send(HALF);
    expect(await wire.ended()).not.toContain("0\r\n\r\n");
    expect(onError).toHaveBeenCalledTimes(1);
  });

  it("a take-over that rejects: its stream is destroyed, and onError hears of it", async () => {
    const onError = vi.fn<OnError>();
    const failure = new Error("in takeOver");
    await using http = await serveHttp(
      () => ({
        status: 101,
        headers: { Upgrade: "echo" },
        takeOver: vi.fn<() => unknown>(async () => {
          await later(undefined);
          throw failure;
        }),
      }),
      { onError },
    );
    await using wire = new Wire(http);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    expect(await wire.ended()).toMatch(/^HTTP\/1\.1 101 /);
    expect(onError).toHaveBeenCalledExactlyOnceWith(failure, expect.anything());
  });
});
