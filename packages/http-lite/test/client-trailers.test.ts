// Fields behind the body of a request: sent where there are chunks, and refused where they could do harm or would be lost.
import { drive, listen } from "@tcpkit/core";
import { describe, expect, it, vi } from "vitest";
import { HttpClient, httpProtocol, serveHttp } from "../src/index.ts";
import type { HttpClientRequest, HttpEvent, HttpReply } from "../src/index.ts";
import { memoryClient, okWith } from "./client-support.ts";

async function* pieces(): AsyncGenerator<string> {
  yield "he";
  yield "llo";
}

describe("trailers of an upload", () => {
  it.each<[string, HttpClientRequest["trailers"]]>([
    ["an object", { "X-Sum": 5, "X-Two": ["a", "b"] }],
    [
      "pairs",
      [
        ["X-Sum", "5"],
        ["X-Two", "a"],
        ["X-Two", "b"],
      ],
    ],
    ["a function", () => ({ "X-Sum": "5", "X-Two": ["a", "b"] })],
  ])("stand behind the last chunk: %s", async (_name, trailers) => {
    const { client, next } = memoryClient();
    const reply = client.request({ method: "POST", body: pieces(), trailers, headers: { Trailer: "X-Sum" } });
    const server = await next();
    expect(await server.until("X-Two: b\r\n\r\n")).toBe(
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n" +
        "2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 5\r\nX-Two: a\r\nX-Two: b\r\n\r\n",
    );
    server.send(okWith("thanks"));
    expect(await (await reply).text()).toBe("thanks");
    await client.close();
  });

  it("are asked for when the body has ended, and not before", async () => {
    const { client, next } = memoryClient();
    let size = 0;
    const body = (async function* () {
      for await (const piece of pieces()) {
        size += piece.length;
        yield piece;
      }
    })();
    const reply = client.request({ method: "POST", body, trailers: () => ({ "X-Size": size }) });
    const server = await next();
    await server.until("0\r\nX-Size: 5\r\n\r\n");
    server.send(okWith(""));
    await reply;
    await client.close();
  });

  it("wait for 100 with the body", async () => {
    const { client, next } = memoryClient();
    const headers = { Expect: "100-continue" };
    const reply = client.request({ method: "POST", body: pieces(), headers, trailers: { x: "y" } });
    const server = await next();
    await server.head();
    expect(server.text).toBe("");
    server.send("HTTP/1.1 100 Continue\r\n\r\n");
    await server.until("0\r\nx: y\r\n\r\n");
    server.send(okWith(""));
    await reply;
    await client.close();
  });

  it("arrive at our engine's other end", async () => {
    await using listener = await listen({ port: 0 });
    listener.on("connection", (connection) => {
      drive(connection, httpProtocol(), (event: HttpEvent): HttpReply | undefined =>
        event.type === "end"
          ? { type: "response", status: 200, body: event.trailers.get("x-sum") ?? "none" }
          : undefined,
      );
    });
    await using client = new HttpClient({ port: listener.port });
    const reply = await client.request({ method: "POST", body: pieces(), trailers: { "X-Sum": 5 } });
    expect(await reply.text()).toBe("5");
  });

  it.each<[string, HttpClientRequest]>([
    ["text", { body: "hello", trailers: { x: "y" } }],
    ["no body", { trailers: { x: "y" } }],
    ["a body of a known length", { body: pieces(), headers: { "Content-Length": 5 }, trailers: { x: "y" } }],
    ["a name that would change framing", { body: pieces(), trailers: { "Content-Length": "5" } }],
    ["a name that would change routing", { body: pieces(), trailers: { host: "b" } }],
    ["LF in a value", { body: pieces(), trailers: { x: "a\nb" } }],
    ["CR in a name", { body: pieces(), trailers: { "x\r": "a" } }],
  ])("are refused before anything is sent: %s", async (_name, options) => {
    const { client, made } = memoryClient();
    await expect(client.request({ method: "POST", ...options })).rejects.toMatchObject({
      code: "bad-request",
      blame: "local",
    });
    expect(made).toEqual([]);
  });

  it.each<[string, () => Record<string, string>, object]>([
    ["must not be there", () => ({ Host: "b" }), { code: "bad-request" }],
    ["hold LF", () => ({ x: "a\nb" }), { code: "bad-request" }],
    [
      "cannot be made",
      () => {
        throw new Error("no sum");
      },
      { message: "no sum" },
    ],
  ])("that %s fail the request when its body has ended", async (_name, trailers, error) => {
    const { client, next } = memoryClient();
    const reply = client.request({ method: "POST", body: pieces(), trailers });
    const server = await next();
    await expect(reply).rejects.toMatchObject(error);
    await server.ended();
    expect(server.text).not.toContain("\r\n0\r\n");
    await client.close();
  });

  it("are not asked for when the upload is stopped", async () => {
    const trailers = vi.fn<() => Record<string, string>>(() => ({}));
    await using http = await serveHttp(() => ({ status: 413, headers: { Connection: "close" } }));
    await using client = new HttpClient({ port: http.port });
    const body = (async function* () {
      for (;;) yield "x".repeat(65_536);
    })();
    const reply = await client.request({ method: "POST", body, trailers });
    expect(reply.status).toBe(413);
    reply.discard();
    await client.close();
    expect(trailers).not.toHaveBeenCalled();
  });
});
