// The client against our server, against node:http, and against servers that misbehave.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { listen } from "@tcpkit/core";
import type { Listener } from "@tcpkit/core";
import { describe, expect, it, vi } from "vitest";
import { HttpClient, HttpError, request, serveHttp } from "../src/index.ts";
import { promised } from "./wire.ts";

/** A server that answers each connection with the same bytes, and ends. */
async function canned(reply: string): Promise<Listener> {
  const listener = await listen({ port: 0 });
  listener.on("connection", (connection) => {
    connection.once("data", () => {
      connection.write(reply, "latin1");
      connection.end();
    });
  });
  return listener;
}

describe("a request", () => {
  it("carries method, target, fields and body, and its reply comes back", async () => {
    await using http = await serveHttp(async (asked) => ({
      status: 201,
      headers: {
        "X-Seen": `${asked.method} ${asked.target} ${asked.headers.get("host")} ${asked.headers.get("x")}`,
      },
      body: (await asked.text()).toUpperCase(),
    }));
    const { port } = http;
    const reply = await request({ port, method: "POST", path: "/a?b=c", headers: { x: "y" }, body: "grüße" });
    expect(reply.status).toBe(201);
    expect(reply.reason).toBe("Created");
    expect(reply.headers.get("x-seen")).toBe(`POST /a?b=c 127.0.0.1:${port} y`);
    expect(await reply.text()).toBe("GRÜSSE");
  });

  it("streams both ways at once, with trailers", async () => {
    await using http = await serveHttp((asked) => ({ body: asked.body, trailers: { "x-sum": "9" } }));
    const turn = promised<void>();
    const reply = await request({
      port: http.port,
      method: "POST",
      body: (async function* () {
        yield "ping";
        await turn.promise;
        yield "pong";
      })(),
    });
    const pieces: string[] = [];
    for await (const piece of reply.body) {
      pieces.push(Buffer.from(piece).toString());
      // The second half is sent only now that the echo of the first has arrived.
      turn.resolve();
    }
    expect(pieces).toEqual(["ping", "pong"]);
    expect(reply.trailers.get("x-sum")).toBe("9");
  });

  it.each<[string, () => Iterable<string | Uint8Array>]>([
    ["an array", () => ["one ", Buffer.from("two")]],
    [
      "a generator",
      function* () {
        yield "one ";
        yield Buffer.from("two");
      },
    ],
  ])("takes a body from %s", async (_name, body) => {
    await using server = await serveHttp(async (request) => await request.text());
    await using client = new HttpClient({ port: server.port });
    const reply = await client.request({ method: "POST", body: body() });
    expect(await reply.text()).toBe("one two");
  });

  it("refuses what is no body, before a byte is sent", async () => {
    const seen: string[] = [];
    await using server = await serveHttp((request) => seen.push(request.path).toString());
    await using client = new HttpClient({ port: server.port });
    const body = { length: 3 } as unknown as string;
    await expect(client.request({ method: "POST", body })).rejects.toMatchObject({
      code: "bad-request",
      blame: "local",
    });
    expect(seen).toEqual([]);
  });

  it("hears interim replies", async () => {
    await using http = await serveHttp((asked) => {
      asked.sendInformational(103, { Link: "</a>" });
      return "x";
    });
    const onInformational = vi.fn();
    const reply = await request({ port: http.port, onInformational });
    expect(await reply.text()).toBe("x");
    expect(onInformational).toHaveBeenCalledWith(expect.objectContaining({ status: 103 }));
  });

  it.each([
    ["HEAD", "HEAD", 200, ""],
    ["GET", "GET", 200, "hello"],
  ])("%s of node:http", async (_name, method, status, text) => {
    const server = createServer((_asked, answer) => answer.end("hello"));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const reply = await request({ port: (server.address() as AddressInfo).port, method });
    expect([reply.status, await reply.text()]).toEqual([status, text]);
    server.close();
  });

  it("leaving the body early closes the connection", async () => {
    const stopped = promised<void>();
    await using http = await serveHttp(() => ({
      body: (async function* () {
        try {
          for (;;) yield Buffer.alloc(65_536);
        } finally {
          stopped.resolve();
        }
      })(),
    }));
    const reply = await request({ port: http.port });
    for await (const piece of reply.body) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    await stopped.promise;
  });
});

describe("what is refused before anything is sent", () => {
  it.each([
    ["CRLF in the path", { path: "/ HTTP/1.1\r\nX: y" }],
    ["CRLF in the host", { host: "a\r\nX: y" }],
    ["LF in a value", { headers: { x: "a\nb" } }],
    ["NUL in a value", { headers: { x: "a\0b" } }],
    ["CR in a name", { headers: { "x\r": "a" } }],
    ["CRLF in the method", { method: "GET /\r\n" }],
    ["CRLF in Host", { headers: { Host: "a\r\nX: y" } }],
  ])("%s", async (_name, options) => {
    const onConnection = vi.fn();
    await using listener = await listen({ port: 0 });
    listener.on("connection", onConnection);
    await expect(request({ port: listener.port, ...options })).rejects.toBeInstanceOf(HttpError);
    expect(onConnection).not.toHaveBeenCalled();
  });
});

describe("a reply that breaks the rules", () => {
  it.each([
    ["not HTTP", "220 mail\r\n", "bad-version"],
    [
      "two lengths",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
      "bad-content-length",
    ],
    ["bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "bare-lf"],
    ["nothing", "", "incomplete"],
  ])("rejects: %s", async (_name, reply, code) => {
    await using server = await canned(reply);
    await expect(request({ port: server.port })).rejects.toMatchObject({ name: "HttpError", code });
  });

  it("fails the body's reader when it ends early", async () => {
    await using server = await canned("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    const reply = await request({ port: server.port });
    await expect(reply.text()).rejects.toMatchObject({ code: "incomplete" });
  });

  it("does not come in time", async () => {
    await using server = await listen({ port: 0 });
    await expect(request({ port: server.port, deadlines: { head: 100 } })).rejects.toMatchObject({
      code: "timeout",
      deadline: "head",
    });
  });

  it("is over the bound of text()", async () => {
    await using server = await canned(`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(100)}`);
    const reply = await request({ port: server.port, limits: { maxBodyBytes: 10 } });
    await expect(reply.text()).rejects.toMatchObject({ code: "body-too-large" });
  });
});

describe("ending", () => {
  it("nobody listens", async () => {
    const listener = await listen({ port: 0 });
    const { port } = listener;
    await listener.close();
    await expect(request({ port })).rejects.toMatchObject({ name: "TcpError", code: "connection-refused" });
  });

  it("the caller's signal ends it", async () => {
    const begun = promised<void>();
    const end = promised<string>();
    await using http = await serveHttp(() => {
      begun.resolve();
      return end.promise;
    });
    const controller = new AbortController();
    const reply = request({ port: http.port, signal: controller.signal });
    await begun.promise;
    controller.abort();
    await expect(reply).rejects.toMatchObject({ code: "aborted" });
    end.resolve("late");
  });
});
