// Connections that are kept: what goes on them, in which order, and what makes them useless.
import { getEventListeners } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { drive } from "@tcpkit/core";
import { pair } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { HttpClient, HttpError, httpProtocol, serveHttp } from "../src/index.ts";
import type { HttpEvent, HttpReply } from "../src/index.ts";
import { memoryClient, okWith } from "./client-support.ts";
import { promised } from "./wire.ts";

describe("a kept connection", () => {
  it("carries a thousand requests, one after the other, and leaves no listener behind", async () => {
    await using http = await serveHttp((asked) => asked.path);
    let connections = 0;
    http.on("connection", () => (connections += 1));
    await using client = new HttpClient({ port: http.port });
    const { signal } = new AbortController();
    for (let count = 0; count < 1000; count++) {
      const reply = await client.request({ path: `/${count}`, signal });
      expect(await reply.text()).toBe(`/${count}`);
    }
    expect(connections).toBe(1);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("is one of four that carry fifty requests at once", async () => {
    let most = 0;
    await using http = await serveHttp(async (asked) => {
      most = Math.max(most, http.connections.size);
      return (await asked.text()) + asked.path;
    });
    await using client = new HttpClient({ port: http.port, maxConnections: 4 });
    const paths = Array.from({ length: 50 }, (_, index) => `/${index}`);
    const replies = await Promise.all(
      paths.map(async (path) => (await client.request({ method: "POST", path, body: "x" })).text()),
    );
    expect(replies).toEqual(paths.map((path) => `x${path}`));
    expect(most).toBe(4);
  });

  it("is kept by node:http as well, and its end is noticed or made up for", async () => {
    let connections = 0;
    const server = createServer((asked, answer) => {
      answer.end(asked.url);
    });
    server.on("connection", () => (connections += 1));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    await using client = new HttpClient({ port: (server.address() as AddressInfo).port });
    for (const path of ["/1", "/2", "/3"]) {
      expect(await (await client.request({ path })).text()).toBe(path);
    }
    expect(connections).toBe(1);
    server.closeAllConnections();
    expect(await (await client.request({ path: "/4" })).text()).toBe("/4");
    expect(connections).toBe(2);
    server.close();
  });

  it("takes a reply that is there before the request's sending returns, as in memory it may be", async () => {
    const { client, server } = pair();
    drive(server, httpProtocol(), (event: HttpEvent): HttpReply | undefined =>
      event.type === "request" ? { type: "response", status: 200, body: event.target } : undefined,
    );
    const one = new HttpClient({ maxConnections: 1, connect: () => Promise.resolve(client) });
    for (const path of ["/1", "/2", "/3"]) expect(await (await one.request({ path })).text()).toBe(path);
    await one.close();
  });

  it("is free before a short body is read, and has answered in turn", async () => {
    const { client, next } = memoryClient({ maxConnections: 1 });
    const first = client.request({ path: "/1" });
    const second = client.request({ path: "/2" });
    const server = await next();
    await server.head();
    server.send(okWith("one"));
    expect(await server.head()).toContain("GET /2 ");
    server.send(okWith("two"));
    expect(await (await second).text()).toBe("two");
    expect(await (await first).text()).toBe("one");
    await client.close();
  });

  it.each([
    ["HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
    ["204", "DELETE", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
    ["an empty body", "GET", okWith("")],
    ["chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
    [
      "HTTP/1.0 that keeps alive",
      "GET",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
    ],
  ])("is used again after %s", async (_name, method, answer) => {
    const { client, next, made } = memoryClient();
    const first = client.request({ method });
    const server = await next();
    await server.head();
    server.send(answer);
    await (await first).bytes();
    const second = client.request();
    await server.head();
    server.send(okWith("again"));
    expect(await (await second).text()).toBe("again");
    expect(made).toHaveLength(1);
    await client.close();
  });

  it.each([
    ["Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"],
  ])("is not kept after %s", async (_name, answer) => {
    const { client, next } = memoryClient();
    const first = client.request();
    const one = await next();
    await one.head();
    one.send(answer);
    expect(await (await first).text()).toBe("x");
    await one.ended();
    void client.request();
    expect(await (await next()).head()).toContain("GET / ");
  });

  it("is not kept after a body that its end delimits", async () => {
    const { client, next } = memoryClient();
    const first = client.request();
    const one = await next();
    await one.head();
    one.send("HTTP/1.1 200 OK\r\n\r\nall of it").connection.end();
    expect(await (await first).text()).toBe("all of it");
    void client.request();
    expect(await (await next()).head()).toContain("GET / ");
  });

  it("is as it was when a request is refused before it is sent", async () => {
    const { client, next, made } = memoryClient();
    const first = client.request();
    const server = await next();
    await server.head();
    server.send(okWith("1"));
    await (await first).text();
    for (const path of ["/ HTTP/1.1\r\nX: y", "/\0", "/é"]) {
      await expect(client.request({ path })).rejects.toMatchObject({
        name: "HttpError",
        code: "bad-request",
      });
    }
    const second = client.request({ path: "/2" });
    expect(await server.head()).toMatch(/^GET \/2 HTTP/);
    server.send(okWith("2"));
    expect(await (await second).text()).toBe("2");
    expect(made).toHaveLength(1);
    await client.close();
  });
});

describe("bytes that no request asked for", () => {
  it("behind a reply do not answer who waits for the connection (response splitting)", async () => {
    const { client, next } = memoryClient({ maxConnections: 1 });
    const first = client.request({ path: "/1" });
    const second = client.request({ path: "/2" });
    const one = await next();
    await one.head();
    one.send(okWith("one") + okWith("forged"));
    expect(await (await first).text()).toBe("one");
    const two = await next();
    expect(await two.head()).toContain("GET /2 ");
    two.send(okWith("two"));
    expect(await (await second).text()).toBe("two");
    await one.ended();
    expect(one.text).toBe("");
    await client.close();
  });

  it("on an idle connection end it", async () => {
    const { client, next } = memoryClient();
    const first = client.request();
    const one = await next();
    await one.head();
    one.send(okWith("one"));
    await (await first).text();
    one.send(okWith("forged"));
    await one.ended();
    const second = client.request({ path: "/2" });
    const two = await next();
    await two.head();
    two.send(okWith("two"));
    expect(await (await second).text()).toBe("two");
    await client.close();
  });
});

describe("a server that ends a kept connection", () => {
  /** A client with one connection that has carried a request. */
  async function kept() {
    const memory = memoryClient();
    const first = memory.client.request();
    const server = await memory.next();
    await server.head();
    server.send(okWith("first"));
    await (await first).text();
    return { ...memory, server };
  }

  it("between requests is left alone", async () => {
    const { client, server, next } = await kept();
    server.connection.end();
    await server.ended();
    void client.request({ method: "POST", body: "x" });
    expect(await (await next()).head()).toContain("POST / ");
  });

  it.each([
    ["GET", "end"],
    ["HEAD", "reset"],
    ["OPTIONS", "end"],
    ["PUT", "end"],
    ["DELETE", "reset"],
  ] as const)("instead of an answer to %s is asked again, on a new one (%s)", async (method, how) => {
    const { client, server, next } = await kept();
    const body = method === "PUT" ? "x" : undefined;
    const again = client.request({ method, body });
    await server.head();
    server.connection[how]();
    const two = await next();
    expect(await two.head()).toContain(`${method} / `);
    two.send("HTTP/1.1 204 No Content\r\n\r\n");
    expect((await again).status).toBe(204);
    await client.close();
  });

  it("twice is asked no third time", async () => {
    const { client, server, next, made } = await kept();
    const again = client.request();
    await server.head();
    server.connection.end();
    const two = await next();
    await two.head();
    two.connection.end();
    await expect(again).rejects.toMatchObject({ code: "incomplete" });
    expect(made).toHaveLength(2);
  });

  it.each([
    ["POST", { method: "POST", body: "x" }],
    ["PATCH", { method: "PATCH" }],
    [
      "a body that can be made once",
      {
        method: "PUT",
        body: (async function* () {
          yield "x";
        })(),
      },
    ],
  ])("instead of an answer is not asked again: %s", async (_name, options) => {
    const { client, server, made } = await kept();
    const again = client.request(options);
    await server.head();
    server.connection.end();
    await expect(again).rejects.toBeInstanceOf(HttpError);
    expect(made).toHaveLength(1);
  });

  it.each(["H", "HTTP/1.1 103 Early Hints\r\n\r\n"])(
    "after the first byte is not asked again: %j",
    async (part) => {
      const { client, server, made } = await kept();
      const again = client.request();
      await server.head();
      server.send(part).connection.end();
      await expect(again).rejects.toMatchObject({ code: "incomplete" });
      expect(made).toHaveLength(1);
    },
  );

  it("on its first request is not asked again", async () => {
    const { client, next, made } = memoryClient();
    const reply = client.request();
    const server = await next();
    await server.head();
    server.connection.end();
    await expect(reply).rejects.toMatchObject({ code: "incomplete" });
    expect(made).toHaveLength(1);
  });
});

describe("requests that wait", () => {
  it("are bounded", async () => {
    const { client, next } = memoryClient({ maxConnections: 1, maxWaiting: 1 });
    const first = client.request();
    const second = client.request();
    await expect(client.request()).rejects.toMatchObject({ code: "pool-full", blame: "local" });
    const server = await next();
    for (const reply of [first, second]) {
      await server.head();
      server.send(okWith(""));
      expect((await reply).status).toBe(200);
    }
    await client.close();
  });

  it("do not wait for ever, nor for a signal that has aborted", async () => {
    const { client, next, clock } = memoryClient({
      maxConnections: 1,
      deadlines: { queue: 1000, head: Infinity },
    });
    const controller = new AbortController();
    const first = client.request();
    const second = client.request();
    const third = client.request({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(third).rejects.toMatchObject({ code: "aborted", cause: controller.signal.reason });
    const server = await next();
    await server.head();
    clock.advance(1200);
    await expect(second).rejects.toMatchObject({ code: "timeout", deadline: "queue" });
    server.send(okWith("first"));
    expect(await (await first).text()).toBe("first");
    // Nobody is left who would be sent.
    await client.close();
    expect(server.text).toBe("");
  });

  it("go on when a connection ends that others used", async () => {
    const { client, next } = memoryClient({ maxConnections: 1 });
    const first = client.request({ path: "/1" });
    const second = client.request({ path: "/2" });
    const one = await next();
    await one.head();
    one.connection.reset();
    await expect(first).rejects.toMatchObject({ code: "connection-failed" });
    const two = await next();
    expect(await two.head()).toContain("GET /2 ");
    two.send(okWith("two"));
    expect(await (await second).text()).toBe("two");
    await client.close();
  });

  it("each fail with its own connection's failure", async () => {
    let tries = 0;
    const client = new HttpClient({
      maxConnections: 1,
      connect: () => Promise.reject(new Error(`no ${(tries += 1)}`)),
    });
    const results = await Promise.allSettled([client.request(), client.request(), client.request()]);
    expect(results.map((result) => result.status === "rejected" && (result.reason as Error).message)).toEqual(
      ["no 1", "no 2", "no 3"],
    );
    await client.close();
  });
});

describe("an AbortSignal", () => {
  it("that has aborted sends nothing", async () => {
    const { client, made } = memoryClient();
    await expect(client.request({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
    expect(made).toEqual([]);
  });

  it("gives up connecting", async () => {
    const begun = promised<AbortSignal>();
    const client = new HttpClient({
      connect: ({ signal }) => {
        if (signal !== undefined) begun.resolve(signal);
        return new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new Error("given up")));
        });
      },
    });
    const controller = new AbortController();
    const reply = client.request({ signal: controller.signal });
    const connecting = await begun.promise;
    controller.abort();
    await expect(reply).rejects.toMatchObject({ code: "aborted" });
    expect(connecting.aborted).toBe(true);
    await client.close();
  });

  it("ends the request in hand and its connection, and no other", async () => {
    const { client, next } = memoryClient();
    const controller = new AbortController();
    const first = client.request({ signal: controller.signal });
    const one = await next();
    await one.head();
    const second = client.request();
    const two = await next();
    await two.head();
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: "aborted" });
    await one.ended();
    two.send(okWith("two"));
    expect(await (await second).text()).toBe("two");
    await client.close();
  });

  it("fails the reader of a body", async () => {
    const { client, next } = memoryClient();
    const controller = new AbortController();
    const reply = client.request({ signal: controller.signal });
    const server = await next();
    await server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    const body = (await reply).text();
    controller.abort();
    await expect(body).rejects.toMatchObject({ code: "aborted" });
    await server.ended();
  });

  it("does nothing after the exchange, neither to the connection's next one", async () => {
    const { client, next } = memoryClient();
    const controller = new AbortController();
    const first = client.request({ signal: controller.signal });
    const server = await next();
    await server.head();
    server.send(okWith("one"));
    expect(await (await first).text()).toBe("one");
    const second = client.request();
    await server.head();
    controller.abort();
    server.send(okWith("two"));
    expect(await (await second).text()).toBe("two");
    await client.close();
  });
});

describe("close", () => {
  it("lets requests finish that were made before, and takes no new ones", async () => {
    const { client, next, clock } = memoryClient({ maxConnections: 1 });
    const first = client.request({ path: "/1" });
    const second = client.request({ path: "/2" });
    const server = await next();
    await server.head();
    const closed = client.close();
    await expect(client.request()).rejects.toMatchObject({ code: "wrong-state" });
    server.send(okWith("one"));
    await server.head();
    server.send(okWith("two"));
    expect([await (await first).text(), await (await second).text()]).toEqual(["one", "two"]);
    await server.ended();
    server.connection.end();
    await closed;
    expect(clock.timers).toBe(0);
  });

  it("ends at its deadline what is not done: a request, one that waits, and a body that nobody reads", async () => {
    const { client, next, clock } = memoryClient({ maxConnections: 2 });
    const held = client.request();
    const one = await next();
    await one.head();
    one.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    const reply = await held;
    const silent = client.request();
    await (await next()).head();
    const waits = client.request();
    const closed = client.close({ deadline: 500 });
    clock.advance(700);
    for (const failed of [silent, waits, reply.text()]) {
      await expect(failed).rejects.toMatchObject({ code: "aborted" });
    }
    await closed;
    expect(clock.timers).toBe(0);
  });

  it("of a client that was not used is done at once", async () => {
    await using client = new HttpClient();
    await client.close();
  });
});
