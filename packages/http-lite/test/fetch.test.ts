// Real Fetch applications, unchanged, behind clients that others wrote.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Listener } from "@tcpkit/core";
import { getRouterParam, H3, HTTPError, readBody, setCookie } from "h3";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { mount } from "hono/mount";
import { streamSSE } from "hono/streaming";
import { describe, expect, it, vi } from "vitest";
import { fetchHandler, serveHttp } from "../src/index.ts";
import type { HttpRequest } from "../src/index.ts";
import { hasTool } from "./tools.ts";
import { promised, Wire } from "./wire.ts";

const run = promisify(execFile);
const hasCurl = hasTool("curl");
/** fetch() keeps its connections; nobody here waits for them when a server closes. */
const quick = { deadlines: { goodbye: 0 } };
const url = (http: Listener, path: string): string => `http://127.0.0.1:${http.port}${path}`;

describe("Hono", () => {
  const app = new Hono<{ Bindings: HttpRequest }>();
  app.use("/stamped/*", async (c, next) => {
    await next();
    c.header("X-Stamp", "1");
  });
  app.get("/stamped/page", (c) => c.html("<p>hello</p>"));
  app.get("/notes/:id", (c) => c.json({ id: c.req.param("id"), tag: c.req.query("tag") }));
  app.post("/notes", async (c) => c.json({ got: await c.req.json<unknown>() }, 201));
  app.post("/form", async (c) => {
    const { name, file } = await c.req.parseBody<{ name: string; file?: File }>();
    return c.text(`${name} ${file === undefined ? "" : `${file.name} ${await file.text()}`}`);
  });
  app.post("/echo", (c) => new Response(c.req.raw.body));
  app.post("/limited", bodyLimit({ maxSize: 4 }), async (c) => c.text(await c.req.text()));
  app.get("/cookies", (c) => {
    c.header("Set-Cookie", "a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT", { append: true });
    c.header("Set-Cookie", "b=2", { append: true });
    return c.text(c.req.header("cookie") ?? "none");
  });
  app.get("/old", (c) => c.redirect("/notes/7", 301));
  app.get("/forbidden", () => {
    throw new HTTPException(403, { message: "not you" });
  });
  app.get("/broken", () => {
    throw new Error("secret");
  });
  app.onError((error, c) => {
    return error instanceof HTTPException ? error.getResponse() : c.text("something failed", 500);
  });
  app.get("/events", (c) =>
    streamSSE(c, async (stream) => {
      for (let count = 1; count <= 3; count++) await stream.writeSSE({ id: String(count), data: "tick" });
    }),
  );
  app.get("/who", (c) => c.text(c.env.remoteAddress));
  const mounted = (request: Request): Response =>
    new Response(`${request.method} ${new URL(request.url).pathname}`);
  app.all("/mounted/*", mount(mounted));
  app.get("/copy", async (c) => {
    const copy = new Request(c.req.raw, { headers: { "x-copied": "yes" } });
    return c.text(`${copy.url.slice(-5)} ${copy.headers.get("x-copied") ?? ""}`);
  });

  // The second row comes last: from then on `new Response` makes another kind, for everything in this file.
  describe.each([{ replaceResponse: false }, { replaceResponse: true }])("with %j", (options) => {
    const serve = (): Promise<Listener> => serveHttp(fetchHandler(app.fetch, options), quick);

    it("routes, with parameters and a query", async () => {
      await using http = await serve();
      const reply = await fetch(url(http, "/notes/a%20b?tag=%C3%A9"));
      expect(reply.headers.get("content-type")).toBe("application/json");
      expect(reply.headers.get("content-length")).toBe("23");
      expect(await reply.json()).toEqual({ id: "a b", tag: "é" });
      expect((await fetch(url(http, "/nowhere"))).status).toBe(404);
    });

    it("reads JSON and forms, and is told when they are broken", async () => {
      await using http = await serve();
      const reply = await fetch(url(http, "/notes"), { method: "POST", body: '{"a":[1,"é"]}' });
      expect([reply.status, await reply.json()]).toEqual([201, { got: { a: [1, "é"] } }]);
      const broken = await fetch(url(http, "/notes"), { method: "POST", body: "{" });
      expect([broken.status, await broken.text()]).toEqual([500, "something failed"]);
      const form = new FormData();
      form.set("name", "Ann");
      form.set("file", new File(["content"], "a.txt"));
      const formReply = await fetch(url(http, "/form"), { method: "POST", body: form });
      expect(await formReply.text()).toBe("Ann a.txt content");
      const body = new URLSearchParams({ name: "Bob" });
      expect(await (await fetch(url(http, "/form"), { method: "POST", body })).text()).toBe("Bob ");
    });

    it("streams a body back while it arrives", async () => {
      await using http = await serve();
      const gate = promised<void>();
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from("first");
        await gate.promise;
        yield Buffer.from("second");
      };
      const init = { method: "POST", body: ReadableStream.from(pieces()), duplex: "half" } as const;
      const reply = await fetch(url(http, "/echo"), init);
      const reader = reply.body!.getReader();
      expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("first");
      gate.resolve();
      expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("second");
      expect((await reader.read()).done).toBe(true);
    });

    it("limits a body by its own middleware, which makes a Request of ours", async () => {
      await using http = await serve();
      const post = async (body: string): Promise<[number, string]> => {
        const init = {
          method: "POST",
          body: ReadableStream.from([Buffer.from(body)]),
          duplex: "half",
        } as const;
        const reply = await fetch(url(http, "/limited"), init);
        return [reply.status, await reply.text()];
      };
      expect(await post("four")).toEqual([200, "four"]);
      expect((await post("fives"))[0]).toBe(413);
    });

    it("middleware that changes the reply, sub-applications and copied requests", async () => {
      await using http = await serve();
      const page = await fetch(url(http, "/stamped/page"));
      expect([page.headers.get("x-stamp"), await page.text()]).toEqual(["1", "<p>hello</p>"]);
      expect(page.headers.get("content-type")).toBe("text/html; charset=UTF-8");
      expect(await (await fetch(url(http, "/mounted/deep"), { method: "PUT" })).text()).toBe("PUT /deep");
      expect(await (await fetch(url(http, "/copy"))).text()).toBe("/copy yes");
    });

    it("each Set-Cookie keeps its line", async () => {
      await using http = await serve();
      await using wire = new Wire(http);
      wire.send(
        "GET /cookies HTTP/1.1\r\nHost: a\r\nCookie: x=1\r\nCookie: y=2\r\nConnection: close\r\n\r\n",
      );
      const text = await wire.ended();
      expect(text.match(/^set-cookie: .*$/gim)).toEqual([
        "set-cookie: a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT",
        "set-cookie: b=2",
      ]);
      expect(text).toMatch(/\r\n\r\nx=1; y=2$/);
    });

    it("redirects, errors and HEAD", async () => {
      await using http = await serve();
      const moved = await fetch(url(http, "/old"), { redirect: "manual" });
      expect([moved.status, moved.headers.get("location")]).toEqual([301, "/notes/7"]);
      expect(await (await fetch(url(http, "/old"))).json()).toEqual({ id: "7" });
      const forbidden = await fetch(url(http, "/forbidden"));
      expect([forbidden.status, await forbidden.text()]).toEqual([403, "not you"]);
      const broken = await fetch(url(http, "/broken"));
      expect([broken.status, await broken.text()]).toEqual([500, "something failed"]);
      const head = await fetch(url(http, "/notes/1"), { method: "HEAD" });
      expect([head.status, head.headers.get("content-type")]).toEqual([200, "application/json"]);
      // Hono has thrown the length away; then none may be told.
      expect([head.headers.get("content-length"), await head.text()]).toEqual([null, ""]);
    });

    it("server-sent events", async () => {
      await using http = await serve();
      const reply = await fetch(url(http, "/events"));
      expect(reply.headers.get("content-type")).toBe("text/event-stream");
      expect(await reply.text()).toBe("data: tick\nid: 1\n\ndata: tick\nid: 2\n\ndata: tick\nid: 3\n\n");
    });

    it("c.env is our own request", async () => {
      await using http = await serve();
      expect(await (await fetch(url(http, "/who"))).text()).toBe("127.0.0.1");
    });

    it.skipIf(!hasCurl)("curl: 100-continue, and a second request on the connection", async () => {
      await using http = await serve();
      const big = "x".repeat(100_000);
      const { stdout } = await run(
        "curl",
        ["-sS", "--fail", "-H", "Expect: 100-continue", "--data-raw", big, url(http, "/echo")].concat([
          "--next",
          "-sS",
          "--fail",
          "--json",
          '{"a":1}',
          url(http, "/notes"),
        ]),
      );
      expect(stdout).toBe(`${big}{"got":{"a":1}}`);
    });
  });
});

describe("h3", () => {
  const app = new H3({ silent: true })
    .get("/hello/:name", (event) => ({ hello: getRouterParam(event, "name"), at: event.url.pathname }))
    .post("/notes", async (event) => {
      event.res.status = 201;
      return { got: await readBody(event) };
    })
    .get("/cookies", (event) => {
      setCookie(event, "a", "1");
      setCookie(event, "b", "2");
      return "ok";
    })
    .get("/refused", () => {
      throw new HTTPError({ status: 418, message: "short and stout" });
    })
    .get("/bytes", () => new Uint8Array([1, 2, 3]))
    .get("/stream", () => ReadableStream.from([Buffer.from("a"), Buffer.from("b")]));

  it("routes, reads JSON, sets cookies, refuses, streams", async () => {
    await using http = await serveHttp(fetchHandler(app.fetch.bind(app)), quick);
    expect(await (await fetch(url(http, "/hello/ann"))).json()).toEqual({ hello: "ann", at: "/hello/ann" });
    const made = await fetch(url(http, "/notes"), {
      method: "POST",
      body: '{"a":1}',
      headers: { "content-type": "application/json" },
    });
    expect([made.status, await made.json()]).toEqual([201, { got: { a: 1 } }]);
    const cookies = await fetch(url(http, "/cookies"));
    expect(cookies.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2; Path=/"]);
    const refused = await fetch(url(http, "/refused"));
    expect([refused.status, await refused.json()]).toEqual([418, expect.objectContaining({ status: 418 })]);
    expect(await (await fetch(url(http, "/bytes"))).bytes()).toEqual(new Uint8Array([1, 2, 3]));
    expect(await (await fetch(url(http, "/stream"))).text()).toBe("ab");
    expect((await fetch(url(http, "/nowhere"))).status).toBe(404);
    const head = await fetch(url(http, "/hello/ann"), { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });
});

it("an application that rejects is answered 500, and its error is told to onError", async () => {
  const onError = vi.fn<(error: unknown) => void>();
  const failed = new Error("no");
  await using http = await serveHttp(
    fetchHandler(() => Promise.reject(failed)),
    { ...quick, onError },
  );
  expect((await fetch(url(http, "/"))).status).toBe(500);
  expect(onError.mock.calls[0]![0]).toBe(failed);
});
