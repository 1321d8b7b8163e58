// Other protocols on a client's connection: an upgrade, against our own server, `ws` and node:http, and a tunnel through a
// proxy. Which replies switch, to the byte, is in vectors/switched-replies.json.
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { listen } from "@tcpkit/core";
import { describe, expect, it, vi } from "vitest";
import { WebSocketServer } from "ws";
import { DEFAULT_METHODS, HttpClient, nodeRequest, serveHttp } from "../src/index.ts";
import type { HttpHandler, HttpRefused, HttpSwitched } from "../src/index.ts";
import { memoryClient, okWith } from "./client-support.ts";

const ACCEPT = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
const echo = (stream: Duplex): void => void pipeline(stream, stream, () => undefined);

/** The stream of an answer that must be one. */
function streamOf(answer: HttpSwitched | HttpRefused): Duplex {
  if (answer.type === "refused") throw new Error(`refused by ${answer.reply.status}`);
  return answer.stream;
}

/** A server of node:http on a port of its own, for as long as the test runs. */
async function nodeServer(server: Server): Promise<{ port: number } & AsyncDisposable> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("an upgrade", () => {
  it("offers protocols, and gives the connection, which begins with the bytes behind the head", async () => {
    const { client, next } = memoryClient();
    const asked = client.upgrade({ protocols: ["echo/2", "echo"], path: "/chat", headers: { "X-Y": "z" } });
    const server = await next();
    expect(await server.head()).toBe(
      "GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Y: z\r\nUpgrade: echo/2, echo\r\nConnection: Upgrade\r\n\r\n",
    );
    server.send(`HTTP/1.1 103 Early Hints\r\n\r\n${ACCEPT}HTTP/1.1 200 OK\r\n`);
    const answer = await asked;
    expect(answer).toMatchObject({ type: "switched", status: 101, reason: "Switching Protocols" });
    const stream = streamOf(answer);
    stream.write("hello");
    await server.until("hello");
    server.send("hello yourself").connection.end();
    expect(await text(stream)).toBe("HTTP/1.1 200 OK\r\nhello yourself");
    stream.end();
    await server.ended();
  });

  it("with a body sends it first", async () => {
    const { client, next } = memoryClient();
    const asked = client.upgrade({ protocols: ["echo"], method: "POST", body: "first" });
    const server = await next();
    expect(await server.until("first")).toContain("\r\nContent-Length: 5\r\n");
    server.send(ACCEPT);
    streamOf(await asked).destroy();
    await server.ended();
  });

  it("that is refused is an ordinary reply, and the connection is kept", async () => {
    const { client, next, made } = memoryClient();
    const asked = client.upgrade({ protocols: ["echo"] });
    const server = await next();
    await server.head();
    server.send("HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nContent-Length: 2\r\n\r\nno");
    const answer = await asked;
    if (answer.type !== "refused") throw new Error("it was refused");
    expect([answer.reply.status, await answer.reply.text()]).toEqual([426, "no"]);
    const second = client.request({ path: "/next" });
    expect(await server.head()).toContain("GET /next ");
    server.send(okWith("next"));
    expect(await (await second).text()).toBe("next");
    expect(made).toHaveLength(1);
    await client.close();
  });

  it.each([
    ["to what was not offered", ACCEPT.replace("Upgrade: echo", "Upgrade: h2c")],
    ["that names nothing", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ])("fails by a 101 %s (RFC 9110 §7.8)", async (_name, answer) => {
    const { client, next } = memoryClient();
    const asked = client.upgrade({ protocols: ["echo"] });
    const server = await next();
    await server.head();
    server.send(answer);
    await expect(asked).rejects.toMatchObject({ code: "unexpected-bytes" });
    await server.ended();
  });

  it("that nobody asked for fails a plain request", async () => {
    const { client, next } = memoryClient();
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send(ACCEPT);
    await expect(reply).rejects.toMatchObject({ code: "unexpected-bytes" });
  });

  it("takes a connection that was kept, goes behind nobody, and nobody behind it", async () => {
    const { client, next, made } = memoryClient({ maxConnections: 1, pipelining: 4 });
    const first = client.request();
    const server = await next();
    await server.head();
    server.send(okWith("1"));
    await first;
    const second = client.request({ path: "/2" });
    const asked = client.upgrade({ protocols: ["echo"] });
    const third = client.request({ path: "/3" });
    expect(await server.head()).toContain("GET /2 ");
    await setImmediate();
    expect(server.text).toBe("");
    server.send(okWith("2"));
    await second;
    expect(await server.head()).toContain("Upgrade: echo");
    await setImmediate();
    expect(server.text).toBe("");
    server.send(ACCEPT);
    const stream = streamOf(await asked);
    // The connection is not the client's any more: there is room for another.
    const two = await next();
    expect(await two.head()).toContain("GET /3 ");
    two.send(okWith("3"));
    await third;
    expect(made).toHaveLength(2);
    await client.close();
    stream.write("still there");
    await server.until("still there");
    stream.destroy();
  });

  it("heeds its deadline and its signal up to the answer, and no more behind it", async () => {
    const { client, next, clock } = memoryClient({ deadlines: { head: 1000 } });
    const late = client.upgrade({ protocols: ["echo"] });
    await (await next()).head();
    clock.advance(1300);
    await expect(late).rejects.toMatchObject({ code: "timeout", deadline: "head" });
    const controller = new AbortController();
    const { signal } = controller;
    const asked = client.upgrade({ protocols: ["echo"], signal });
    const server = await next();
    await server.head();
    server.send(ACCEPT);
    const stream = streamOf(await asked);
    controller.abort();
    clock.advance(100_000);
    stream.write("still there");
    await server.until("still there");
    await expect(client.upgrade({ protocols: ["echo"], signal })).rejects.toMatchObject({ code: "aborted" });
    stream.destroy();
    await client.close();
    expect(clock.timers).toBe(0);
  });

  it("is asked again where a kept connection turns out to be closed, by GET", async () => {
    const { client, next } = memoryClient();
    const first = client.request();
    const one = await next();
    await one.head();
    one.send(okWith(""));
    await first;
    const asked = client.upgrade({ protocols: ["echo"] });
    await one.head();
    one.connection.end();
    const two = await next();
    expect(await two.head()).toContain("Upgrade: echo");
    two.send(ACCEPT);
    streamOf(await asked).destroy();
  });

  it("tells the stream, and not the client, when the connection is reset", async () => {
    const { client, next } = memoryClient();
    const asked = client.upgrade({ protocols: ["echo"] });
    const server = await next();
    await server.head();
    server.send(ACCEPT);
    const stream = streamOf(await asked);
    const failed = once(stream, "error");
    server.connection.reset();
    await failed;
    await client.close();
  });

  it.each<[string, () => Promise<unknown>]>([
    ["no protocol", () => new HttpClient().upgrade({ protocols: [] })],
    ["what is none", () => new HttpClient().upgrade({ protocols: ["a b"] })],
    ["CRLF", () => new HttpClient().upgrade({ protocols: ["a\r\nX: y"] })],
    ["a path that is none", () => new HttpClient().upgrade({ protocols: ["a"], path: "x" })],
    ["a second Upgrade", () => new HttpClient().upgrade({ protocols: ["a"], headers: { Upgrade: "b" } })],
    ["a plain request", () => new HttpClient().request({ headers: { Upgrade: "b" } })],
    ["Connection alone", () => new HttpClient().request({ headers: { Connection: "Upgrade" } })],
  ])("is not asked for by %s", async (_name, ask) => {
    await expect(ask()).rejects.toMatchObject({ name: "HttpError", code: "bad-request" });
  });
});

describe("an upgrade in the field", () => {
  const taken: HttpHandler = () => ({ status: 101, headers: { Upgrade: "echo" }, takeOver: echo });

  it("to a protocol of our own server's", async () => {
    await using http = await serveHttp(taken);
    await using client = new HttpClient({ port: http.port });
    const stream = streamOf(await client.upgrade({ protocols: ["echo"] }));
    const big = Buffer.alloc(1_000_000, "0123456789abcdefg");
    stream.end(big);
    expect(big.equals(await buffer(stream))).toBe(true);
  });

  it("to a WebSocket of the ws package", async () => {
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on("connection", (socket) => {
      socket.on("message", (data, binary) => socket.send(data, { binary }));
    });
    await using http = await serveHttp((asked) => {
      const request = nodeRequest(asked) as IncomingMessage;
      return {
        takeOver: (stream) =>
          sockets.handleUpgrade(request, stream, Buffer.alloc(0), (socket) => {
            sockets.emit("connection", socket, request);
          }),
      };
    });
    await using client = new HttpClient({ port: http.port });
    const answer = await client.upgrade({
      protocols: ["websocket"],
      headers: { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": 13 },
    });
    const stream = streamOf(answer);
    if (answer.type !== "switched") throw new Error("it was accepted");
    // The example of RFC 6455, section 1.3.
    expect(answer.headers.get("sec-websocket-accept")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    // A masked text frame, and then a masked Close frame with 1000, each with a mask of zeros.
    stream.write(Buffer.from("\x81\x82\0\0\0\0hi", "latin1"));
    stream.write(Buffer.from("\x88\x82\0\0\0\0\x03\xe8", "latin1"));
    expect((await buffer(stream)).toString("latin1")).toBe("\x81\x02hi\x88\x02\x03\xe8");
    stream.end();
  });

  it("by node:http, with the first bytes in the packet of the head", async () => {
    const server = createServer();
    server.on("upgrade", (_asked, socket) => {
      socket.write(`${ACCEPT}welcome, `);
      echo(socket);
    });
    await using node = await nodeServer(server);
    await using client = new HttpClient({ port: node.port });
    const stream = streamOf(await client.upgrade({ protocols: ["echo"] }));
    stream.end("friend");
    expect(await text(stream)).toBe("welcome, friend");
  });
});

describe("a tunnel", () => {
  it("begins with a 2xx, whatever its fields say of a body (RFC 9112 §6.3)", async () => {
    const { client, next } = memoryClient();
    const asked = client.connect({
      target: "origin.test:443",
      headers: { "Proxy-Authorization": "Basic eA==" },
    });
    const server = await next();
    expect(await server.head()).toBe(
      "CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\nProxy-Authorization: Basic eA==\r\n\r\n",
    );
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    const answer = await asked;
    expect(answer).toMatchObject({ type: "switched", status: 200 });
    const stream = streamOf(answer);
    server.connection.end();
    expect(await text(stream)).toBe("0\r\n\r\n");
    stream.destroy();
  });

  it("that is refused is an ordinary reply, and the connection is kept", async () => {
    const { client, next } = memoryClient();
    const asked = client.connect({ target: "a:9" });
    const server = await next();
    await server.head();
    server.send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nwho?");
    const answer = await asked;
    if (answer.type !== "refused") throw new Error("it was refused");
    expect([answer.reply.status, await answer.reply.text()]).toEqual([407, "who?"]);
    void client.connect({ target: "a:9", headers: { "Proxy-Authorization": "Basic eA==" } });
    expect(await server.head()).toContain("CONNECT a:9 ");
  });

  it("is never asked for twice", async () => {
    const { client, next, made } = memoryClient();
    const first = client.request();
    const one = await next();
    await one.head();
    one.send(okWith(""));
    await first;
    const asked = client.connect({ target: "a:1" });
    await one.head();
    one.connection.end();
    await expect(asked).rejects.toMatchObject({ code: "incomplete" });
    expect(made).toHaveLength(1);
  });

  it.each(["a", "a:", "/", "a:80/x", "http://a:80/", "a:1\r\nX: y"])(
    "does not lead to %j",
    async (target) => {
      await expect(new HttpClient().connect({ target })).rejects.toMatchObject({ code: "bad-request" });
    },
  );

  it("through a proxy of node:http to an echo server", async () => {
    await using origin = await listen({ port: 0 });
    origin.on("connection", (connection) => {
      connection.on("data", (chunk) => connection.write(chunk));
      connection.on("end", () => connection.end());
    });
    const proxy = createServer();
    const seen = vi.fn<(target: string | undefined) => void>();
    proxy.on("connect", (asked, socket, head) => {
      seen(asked.url);
      const upstream = connect(origin.port, "127.0.0.1");
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      if (head.length > 0) upstream.write(head);
      pipeline(socket, upstream, socket, () => undefined);
    });
    await using node = await nodeServer(proxy);
    await using client = new HttpClient({ port: node.port });
    const target = `127.0.0.1:${origin.port}`;
    const stream = streamOf(await client.connect({ target }));
    const big = Buffer.alloc(1_000_000, "tunnelled ");
    stream.end(big);
    expect(big.equals(await buffer(stream))).toBe(true);
    expect(seen).toHaveBeenCalledWith(target);
  });

  it("through our own proxy to our own server", async () => {
    await using origin = await serveHttp(({ path }) => `origin ${path}`);
    await using proxy = await serveHttp(
      ({ target }) => {
        const { hostname, port } = new URL(`http://${target}`);
        const upstream = connect(Number(port), hostname);
        return {
          status: 200,
          takeOver: (stream) => void pipeline(stream, upstream, stream, () => undefined),
        };
      },
      { methods: [...DEFAULT_METHODS, "CONNECT"] },
    );
    await using client = new HttpClient({ port: proxy.port });
    const target = `127.0.0.1:${origin.port}`;
    const stream = streamOf(await client.connect({ target }));
    stream.end(`GET /x HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
    expect(await text(stream)).toMatch(/^HTTP\/1.1 200 OK\r\n.*origin \/x$/s);
  });
});
