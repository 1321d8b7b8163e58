// The server on loopback, seen from a bare socket: order, persistence, errors, backpressure, drain.
import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DeadlineTimer } from "@tcpkit/core";
import type { Tap } from "@tcpkit/core";
import { fakeClock } from "@tcpkit/core/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serveHttp } from "../src/index.ts";
import type { HttpHandler, HttpRequest, HttpServerOptions } from "../src/index.ts";
import { promised, Wire } from "./wire.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const post = (body: string, more = ""): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

const serve = (handler: HttpHandler, options: HttpServerOptions = {}): ReturnType<typeof serveHttp> =>
  serveHttp(handler, { onError: () => undefined, ...options });

afterEach(() => vi.restoreAllMocks());

describe("requests on one connection", () => {
  it("are answered in their order, however long each takes (RFC 9112 §9.3.2)", async () => {
    const slow = promised<void>();
    const order: string[] = [];
    await using http = await serve(async ({ path }) => {
      order.push(path);
      if (path === "/1") await slow.promise;
      return path;
    });
    await using wire = new Wire(http);
    wire.send(get("/1") + get("/2") + get("/3", "Connection: close\r\n"));
    await vi.waitFor(() => expect(order).toEqual(["/1"]));
    slow.resolve();
    const text = await wire.ended();
    expect(text.match(/\/[123]$|\/[123](?=HTTP)/g)).toEqual(["/1", "/2", "/3"]);
  });

  it("persist in 1.1 until close, and nothing behind close is answered (RFC 9112 §9.6)", async () => {
    const handler = vi.fn<HttpHandler>(({ path }) => path);
    await using http = await serve(handler);
    await using wire = new Wire(http);
    wire.send(GET);
    await wire.until("\r\n\r\n/");
    wire.send(get("/last", "Connection: close\r\n") + get("/never"));
    const text = await wire.ended();
    expect(text).toContain("/last");
    expect(text.match(/Connection: close/g)).toHaveLength(1);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it("a target in absolute-form names the host, not the Host field (RFC 9112 §3.2.2)", async () => {
    await using http = await serve(({ host, path, query }) => `${host} ${path} ${query.get("q")}`);
    await using wire = new Wire(http);
    wire.send(get("http://b.example:81?q=1") + get("/p?q=%20", "Connection: close\r\n"));
    expect(await wire.ended()).toMatch(/\r\n\r\nb.example:81 \/ 1HTTP.*\r\n\r\na \/p  $/s);
  });

  it("a client that has ended its side is answered all the same", async () => {
    const later = promised<void>();
    await using http = await serve(async (request) => {
      await later.promise;
      return request.text();
    });
    await using wire = new Wire(http);
    wire.send(post("half"));
    wire.socket.end();
    await once(http, "connection");
    later.resolve();
    expect(await wire.ended()).toMatch(/\r\n\r\nhalf$/);
  });

  it("an unread body is dropped, and the connection kept", async () => {
    await using http = await serve(({ path }) => path);
    await using wire = new Wire(http);
    wire.send(post("x".repeat(1000)) + get("/next", "Connection: close\r\n"));
    expect(await wire.ended()).toMatch(/\/next$/);
  });

  it("Expect: 100-continue is answered when the handler begins to read", async () => {
    const go = promised<void>();
    await using http = await serve(async (request) => {
      await go.promise;
      return request.text();
    });
    await using wire = new Wire(http);
    wire.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    );
    await vi.waitFor(() => expect(http.connections.size).toBe(1));
    expect(wire.text).toBe("");
    go.resolve();
    await wire.until("HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hi");
    expect(await wire.ended()).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n.*\r\n\r\nhi$/s);
  });

  it("a final reply instead of 100 closes, without waiting for the body", async () => {
    await using http = await serve(() => ({ status: 403 }));
    await using wire = new Wire(http);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(await wire.ended()).toMatch(/^HTTP\/1.1 403 .*Connection: close\r\n\r\n$/s);
  });

  it("a late final reply instead of 100 closes as well", async () => {
    await using http = await serve(async () => {
      await Promise.resolve();
      return { status: 403 };
    });
    await using wire = new Wire(http);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(await wire.ended()).toMatch(/^HTTP\/1.1 403 .*Connection: close\r\n\r\n$/s);
  });

  describe("while the client waits for 100 (Continue)", () => {
    const EXPECT = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n";
    const ASKED = "HTTP/1.1 100 Continue\r\n\r\n";

    /** A server whose handler reads the body, or answers without, when `go` is resolved; `clock` is its time. */
    async function waiting(deadlines: HttpServerOptions["deadlines"] = {}) {
      const clock = fakeClock();
      const begun = promised<HttpRequest>();
      const go = promised<"read" | "refuse">();
      const http = await serve(
        async (request) => {
          begun.resolve(request);
          return (await go.promise) === "read" ? request.text() : { status: 403 };
        },
        { deadlines, timer: new DeadlineTimer(clock) },
      );
      return { http, clock, begun: begun.promise, go };
    }

    it("nobody is late, however long the handler takes", async () => {
      const { http, clock, begun, go } = await waiting({ idle: 400, message: 400 });
      await using _ = http;
      await using wire = new Wire(http);
      wire.send(`${EXPECT}\r\n`);
      await begun;
      clock.advance(60_000);
      go.resolve("read");
      expect(await wire.until("\r\n\r\n")).toBe(ASKED);
      wire.send(`hi${get("/", "Connection: close\r\n")}`);
      expect(await wire.ended()).toMatch(/100 Continue.*200 OK.*\r\n\r\nhiHTTP\/1\.1 200 OK/s);
    });

    it("and when the client goes, the handling is over for who watches it", async () => {
      const ended = promised<void>();
      const aborted = promised<void>();
      const tap: Tap = { observe: () => {}, handling: () => () => ended.resolve() };
      await using http = await serve(
        async ({ signal }) => {
          await new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason as Error));
            aborted.resolve();
          });
          return "late";
        },
        { tap },
      );
      await using wire = new Wire(http);
      wire.send(`${EXPECT}\r\n`);
      await aborted.promise;
      wire.socket.resetAndDestroy();
      await ended.promise;
    });

    it("and it does not wait after all, the connection is kept, and the request behind the body is answered", async () => {
      await using http = await serve(async (request) => {
        await nextTurn();
        return request.path;
      });
      await using wire = new Wire(http);
      wire.send(`${EXPECT}\r\nhi${get("/next", "Connection: close\r\n")}`);
      expect(await wire.ended()).toMatch(
        /^HTTP\/1\.1 200 (?:(?!Connection: close).)*\r\n\r\n\/HTTP\/1\.1 200 .*\/next$/s,
      );
    });

    it("and once asked for it, the client is: 408", async () => {
      const { http, clock, begun, go } = await waiting({ message: 400 });
      await using _ = http;
      await using wire = new Wire(http);
      wire.send(`${EXPECT}\r\n`);
      await begun;
      go.resolve("read");
      await wire.until(ASKED);
      clock.advance(1000);
      expect(await wire.ended()).toContain("HTTP/1.1 408 ");
    });

    it("a body that was sent all the same is read, and the next request behind it", async () => {
      const { http, clock, begun, go } = await waiting({ idle: 400, message: 400 });
      await using _ = http;
      await using wire = new Wire(http);
      wire.send(`${EXPECT}\r\nhi${get("/", "Connection: close\r\n")}`);
      await begun;
      clock.advance(60_000);
      go.resolve("read");
      expect(await wire.ended()).toMatch(/200 OK.*\r\n\r\nhiHTTP\/1\.1 200 OK/s);
    });

    it("a drain lets the handler read, and answer with Connection: close", async () => {
      const { http, begun, go } = await waiting();
      await using wire = new Wire(http);
      wire.send(`${EXPECT}\r\n`);
      await begun;
      const closed = http.close({ deadline: 5000 });
      go.resolve("read");
      await wire.until(ASKED);
      wire.send("hi");
      expect(await wire.ended()).toMatch(/Connection: close\r\n\r\nhi$/);
      wire.socket.end();
      expect(await closed).toEqual({ drained: 1, cut: 0 });
    });

    it("a client that resets is gone at once", async () => {
      const { http, begun } = await waiting();
      await using _ = http;
      await using wire = new Wire(http);
      wire.send(`${EXPECT}\r\n`);
      const { signal, body } = await begun;
      const aborted = once(signal, "abort");
      wire.socket.resetAndDestroy();
      await aborted;
      await expect(body[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "incomplete" });
    });

    it("a client that ends its side brings no body", async () => {
      const { http, begun, go } = await waiting();
      await using _ = http;
      await using wire = new Wire(http);
      wire.send(`${EXPECT}\r\n`);
      wire.socket.end();
      await begun;
      go.resolve("read");
      expect(await wire.ended()).toMatch(/HTTP\/1\.1 400 [^]*\(incomplete\)\n$/);
    });

    it("an earlier request's body, read too late, does not have the next one's awaited", async () => {
      const clock = fakeClock();
      const requests: HttpRequest[] = [];
      const go = promised<void>();
      await using http = await serve(
        async (request) => {
          requests.push(request);
          if (requests.length === 1) return "unread";
          await go.promise;
          return request.text();
        },
        { deadlines: { idle: 400 }, timer: new DeadlineTimer(clock) },
      );
      await using wire = new Wire(http);
      wire.send(post("x"));
      await wire.until("unread");
      wire.send(`${EXPECT}\r\n`);
      await vi.waitFor(() => expect(requests).toHaveLength(2));
      await expect(requests[0]!.text()).rejects.toThrow();
      clock.advance(60_000);
      go.resolve();
      await wire.until(ASKED);
      wire.send("hi");
      await wire.until(/\r\n\r\nhi$/);
    });
  });

  it("interim replies are sent before the final one", async () => {
    await using http = await serve((request) => {
      request.sendInformational(103, { Link: "</style.css>" });
      return "done";
    });
    await using wire = new Wire(http);
    wire.send(get("/", "Connection: close\r\n"));
    expect(await wire.ended()).toMatch(
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/style.css>\r\n\r\nHTTP\/1.1 200 OK/,
    );
  });
});

describe("errors", () => {
  it("a broken request is answered in plain words, with close, and not reset", async () => {
    await using http = await serve(() => "never");
    await using wire = new Wire(http);
    wire.send(`GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n${"x".repeat(100_000)}`);
    const text = await wire.ended();
    expect(text).toMatch(
      /^HTTP\/1.1 400 Bad Request\r\nDate: .*Connection: close\r\n\r\n400 Bad Request: .*offset 26/s,
    );
  });

  it("405 says what is allowed", async () => {
    await using http = await serve(() => "never");
    await using wire = new Wire(http);
    wire.send("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await wire.ended()).toContain("\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
  });

  it.each<[string, HttpHandler]>([
    [
      "throws",
      () => {
        throw new Error("secret");
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret"))],
    ["gives a value with LF", () => ({ headers: { a: "b\nc: d" } })],
    ["gives no reply", () => undefined as unknown as string],
  ])("a handler that %s is answered 500, is reported, and the connection goes on", async (_name, handler) => {
    const onError = vi.fn();
    await using http = await serve((request) => (request.path === "/ok" ? "fine" : handler(request)), {
      onError,
    });
    await using wire = new Wire(http);
    wire.send(GET + get("/ok", "Connection: close\r\n"));
    const text = await wire.ended();
    expect(text).toMatch(/^HTTP\/1.1 500 .*HTTP\/1.1 200 .*fine$/s);
    expect(text).not.toContain("secret");
    expect(onError).toHaveBeenCalledTimes(1);
  });

  it("a reply that fails after its head has left cuts the connection: no end is faked", async () => {
    const onError = vi.fn();
    await using http = await serve(
      () => ({
        body: (async function* () {
          yield "part";
          throw new Error("secret");
        })(),
      }),
      { onError },
    );
    await using wire = new Wire(http);
    wire.send(GET);
    const text = await wire.ended();
    expect(text).not.toContain("\r\n0\r\n");
    expect(onError).toHaveBeenCalledTimes(1);
  });

  it("content that is not as long as declared cuts the connection", async () => {
    await using http = await serve(() => ({
      headers: { "Content-Length": 10 },
      body: (async function* () {
        yield "short";
      })(),
    }));
    await using wire = new Wire(http);
    wire.send(GET + GET);
    expect((await wire.ended()).match(/HTTP\/1.1/g)?.length ?? 0).toBeLessThanOrEqual(1);
  });

  it("text() over its bound is answered 413", async () => {
    await using http = await serve(async (request) => request.text(), { limits: { maxBodyBytes: 10 } });
    await using wire = new Wire(http);
    wire.send(post("x".repeat(11)));
    expect(await wire.until("413")).toMatch(/^HTTP\/1.1 413 Content Too Large/);
    await using chunked = new Wire(http);
    chunked.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n0\r\n\r\n",
    );
    expect(await chunked.until("413")).toMatch(/^HTTP\/1.1 413/);
  });

  it("a body that ends early never reaches the handler as whole", async () => {
    const outcome = promised<unknown>();
    await using http = await serve(async (request) => {
      try {
        outcome.resolve(await request.text());
      } catch (error) {
        outcome.resolve(error);
        throw error;
      }
      return "never";
    });
    await using wire = new Wire(http);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    wire.socket.end();
    expect(await outcome.promise).toMatchObject({ name: "HttpError", code: "incomplete" });
    expect(await wire.ended()).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe("time", () => {
  it("a head that never ends is answered 408, though a byte comes now and then", async () => {
    await using http = await serve(() => "never", { deadlines: { message: 200 } });
    await using wire = new Wire(http);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    const drip = setInterval(() => wire.send("y"), 20);
    const text = await wire.ended();
    clearInterval(drip);
    expect(text).toMatch(/^HTTP\/1.1 408 .*Connection: close/s);
  });

  it("a body that stalls is answered 408, and the handler hears of it", async () => {
    const outcome = promised<unknown>();
    await using http = await serve(
      (request) =>
        request.text().catch((error: unknown) => {
          outcome.resolve(error);
          throw error;
        }),
      { deadlines: { message: 200 } },
    );
    await using wire = new Wire(http);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    expect(await wire.ended()).toMatch(/^HTTP\/1.1 408 /);
    expect(await outcome.promise).toMatchObject({ code: "timeout", status: 408 });
  });

  it("an idle connection is closed without a word", async () => {
    await using http = await serve(() => "x", { deadlines: { idle: 100 } });
    await using wire = new Wire(http);
    expect(await wire.ended()).toBe("");
  });
});

describe("the client goes", () => {
  it("signal aborts, and a source is told to stop", async () => {
    const aborted = promised<void>();
    const stopped = promised<void>();
    await using http = await serve((request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      return {
        body: (async function* () {
          try {
            for (;;) yield Buffer.alloc(65_536);
          } finally {
            stopped.resolve();
          }
        })(),
      };
    });
    await using wire = new Wire(http);
    wire.send(GET);
    await wire.until("200 OK");
    wire.socket.destroy();
    await Promise.all([aborted.promise, stopped.promise]);
  });

  it("while it uploads: the handler's reading fails", async () => {
    const outcome = promised<unknown>();
    await using http = await serve(async (request) => {
      try {
        for await (const bytes of request.body) expect(bytes.length).toBeGreaterThan(0);
      } catch (error) {
        outcome.resolve(error);
      }
      return "never";
    });
    await using wire = new Wire(http);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    await vi.waitFor(() => expect(http.connections.size).toBe(1));
    wire.socket.resetAndDestroy();
    expect(await outcome.promise).toBeInstanceOf(Error);
  });
});

describe("admission", () => {
  it("answers 503 when there are too many connections, and others are served on", async () => {
    await using http = await serve(({ path }) => path, { maxConnections: 1 });
    await using first = new Wire(http);
    first.send(get("/first"));
    await first.until(/\/first$/);
    await using second = new Wire(http);
    second.send(get("/second"));
    const refused = await second.ended();
    expect(refused).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\nDate: [^\r]+\r\nRetry-After: 1\r\n/);
    expect(refused).toMatch(/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n$/);
    first.send(get("/again"));
    await first.until(/\/again$/);
  });
});

describe("drain", () => {
  // The goodbye deadline of these tests is for ever, or none: no test waits for it.
  const patient = { deadlines: { goodbye: Infinity } };

  it("answers the next request on a kept connection with Connection: close", async () => {
    const http = await serve(({ path }) => path, patient);
    await using wire = new Wire(http);
    wire.send(get("/first"));
    await wire.until(/\/first$/);
    const closed = http.close({ deadline: 5000 });
    wire.send(get("/next") + get("/never"));
    expect(await wire.ended()).toMatch(/Connection: close\r\n\r\n\/next$/);
    wire.socket.end();
    expect(await closed).toEqual({ drained: 1, cut: 0 });
  });

  it("ends at once a connection on which nothing was ever asked, and with goodbye: 0 every idle one", async () => {
    const asked = await serve(() => "x", { deadlines: { goodbye: 0 } });
    const silent = await serve(() => "x", patient);
    await using kept = new Wire(asked);
    await using fresh = new Wire(silent);
    kept.send(GET);
    await kept.until("\r\n\r\nx");
    await vi.waitFor(() => expect(silent.connections.size).toBe(1));
    const closed = Promise.all([asked.close({ deadline: 5000 }), silent.close({ deadline: 5000 })]);
    expect(await kept.ended()).toMatch(/x$/);
    expect(await fresh.ended()).toBe("");
    kept.socket.end();
    fresh.socket.end();
    expect(await closed).toEqual([
      { drained: 1, cut: 0 },
      { drained: 1, cut: 0 },
    ]);
  });

  it("waits a tenth of a second for that request, unless told otherwise", async () => {
    const clock = fakeClock();
    const http = await serve(() => "x", { timer: new DeadlineTimer(clock) });
    await using wire = new Wire(http);
    wire.send(GET);
    await wire.until("\r\n\r\nx");
    const [connection] = http.connections;
    const closed = http.close({ deadline: 5000 });
    clock.advance(90);
    expect(connection?.writable).toBe(true);
    clock.advance(300);
    expect(connection?.writable).toBe(false);
    expect(await wire.ended()).toMatch(/x$/);
    wire.socket.end();
    expect(await closed).toEqual({ drained: 1, cut: 0 });
  });

  it("takes one more request after a reply whose head had left without Connection: close", async () => {
    const go = promised<void>();
    const http = await serve(
      ({ path }) => ({
        body: (async function* () {
          yield path;
          if (path === "/long") await go.promise;
        })(),
      }),
      patient,
    );
    await using wire = new Wire(http);
    wire.send(get("/long"));
    await wire.until("/long");
    const closed = http.close({ deadline: 5000 });
    go.resolve();
    await wire.until(/0\r\n\r\n$/);
    wire.send(get("/next"));
    expect(await wire.ended()).toMatch(/Connection: close\r\n\r\n5\r\n\/next\r\n0\r\n\r\n$/);
    wire.socket.end();
    expect(await closed).toEqual({ drained: 1, cut: 0 });
  });

  it("answers the request in hand with Connection: close", async () => {
    const go = promised<string>();
    const begun = promised<void>();
    const http = await serve(() => {
      begun.resolve();
      return go.promise;
    });
    await using wire = new Wire(http);
    wire.send(GET);
    await begun.promise;
    const closed = http.close({ deadline: 5000 });
    go.resolve("last words");
    expect(await wire.ended()).toMatch(/Connection: close\r\n\r\nlast words$/);
    wire.socket.end();
    expect(await closed).toEqual({ drained: 1, cut: 0 });
  });

  it("answers a request that has begun", async () => {
    const http = await serve(() => "last words");
    await using wire = new Wire(http);
    wire.send(GET);
    await wire.until("last words");
    wire.text = "";
    wire.send("GET / HTTP/1.1\r\nHo");
    const connection = [...http.connections][0];
    await vi.waitFor(() =>
      expect(connection?.bytesReceived).toBe(GET.length + "GET / HTTP/1.1\r\nHo".length),
    );
    const closed = http.close({ deadline: 5000 });
    wire.send("st: a\r\n\r\n");
    expect(await wire.ended()).toMatch(/Connection: close\r\n\r\nlast words$/);
    wire.socket.end();
    expect(await closed).toEqual({ drained: 1, cut: 0 });
  });
});

describe("memory", () => {
  // When V8 sweeps is its own affair and depends on the machine: what is measured is what is held, so we sweep now and then.
  setFlagsFromString("--expose-gc");
  const sweep = runInNewContext("gc") as () => void;
  const MiB = 1024 * 1024;
  const TOTAL = 256 * MiB;

  it("stays bounded while a slow reader takes a big stream", async () => {
    let made = 0;
    await using http = await serve(() => ({
      body: (async function* () {
        const piece = Buffer.alloc(65_536);
        for (; made < TOTAL; made += piece.length) yield piece;
      })(),
    }));
    // The client shares our process: it reads into one buffer, so that what is measured is the server's.
    const first = promised<void>();
    let taken = 0;
    let peak = 0;
    const callback = (length: number): boolean => {
      taken += length;
      peak = Math.max(peak, process.memoryUsage.rss());
      first.resolve();
      return true;
    };
    const onread = { buffer: Buffer.alloc(65_536), callback };
    const socket = connect({ port: http.port, host: "127.0.0.1", onread });
    socket.write(get("/", "Connection: close\r\n"));
    await first.promise;
    socket.pause();
    // Nothing is taken now: what the source has made stops growing at what the buffers on the way hold.
    let before = -1;
    await vi.waitFor(() => {
      const settled = made > 0 && made === before;
      before = made;
      expect(settled).toBe(true);
    }, 10_000);
    expect(made).toBeLessThan(32 * MiB);
    const start = process.memoryUsage.rss();
    peak = 0;
    socket.resume();
    await once(socket, "end");
    socket.destroy();
    expect(taken).toBeGreaterThan(TOTAL - 65_536);
    expect(peak - start).toBeLessThan(96 * MiB);
  }, 60_000);

  it("stays bounded while a slow handler takes a big upload", async () => {
    const go = promised<void>();
    let taken = 0;
    await using http = await serve(async (request) => {
      await go.promise;
      for await (const bytes of request.body) {
        taken += bytes.length;
        if (taken % (64 * 65_536) === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      return String(taken);
    });
    await using wire = new Wire(http);
    wire.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${TOTAL}\r\n\r\n`);
    const piece = Buffer.alloc(65_536);
    let sent = 0;
    let peak = 0;
    const start = process.memoryUsage.rss();
    const upload = (async () => {
      for (; sent < TOTAL; sent += piece.length) {
        if (sent % (16 * MiB) === 0) sweep();
        peak = Math.max(peak, process.memoryUsage.rss());
        if (!wire.socket.write(piece)) await once(wire.socket, "drain");
      }
    })();
    // The handler does not read: the client is held back by TCP.
    let before = -1;
    await vi.waitFor(() => {
      const settled = sent > 0 && sent === before;
      before = sent;
      expect(settled).toBe(true);
    }, 10_000);
    expect(sent).toBeLessThan(32 * MiB);
    go.resolve();
    await upload;
    expect(await wire.until(String(TOTAL))).toContain("200 OK");
    expect(peak - start).toBeLessThan(96 * MiB);
  }, 60_000);
});
