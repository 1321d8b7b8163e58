// Other protocols on a connection that began with HTTP: which hand-overs the session allows, a WebSocket library that
// others wrote, and a tunnel.
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { pipeline } from "node:stream";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { outputText } from "@tcpkit/core/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket as WsClient, WebSocketServer } from "ws";
import { DEFAULT_METHODS, HttpSession, nodeRequest, serveHttp } from "../src/index.ts";
import type { HttpHandler, HttpServerOptions, SwitchReply } from "../src/index.ts";
import { promised, Wire } from "./wire.ts";

interface SwitchVector {
  readonly name: string;
  readonly ref: string;
  readonly input: string;
  readonly methods?: readonly string[];
  readonly switch: Omit<SwitchReply, "type">;
  readonly sends?: string;
  readonly rest?: string;
  readonly throws?: string;
}

const cases = JSON.parse(
  readFileSync(new URL("../vectors/switches.json", import.meta.url), "utf8"),
) as SwitchVector[];

describe("switches.json", () => {
  it.each(cases)("$name ($ref)", ({ input, methods, switch: reply, sends, rest, throws }) => {
    const session = new HttpSession({ methods, date: () => "Date: now\r\n" });
    session.receive(Buffer.from(input, "latin1"));
    while (!["done/idle", "closed"].includes(session.state) && session.next() !== undefined);
    const send = (): string => outputText(session.send({ type: "switch", ...reply }));
    if (throws === undefined) {
      expect(send()).toBe(sends);
      expect(session.next()).toBeUndefined();
      expect(Buffer.from(session.rest()).toString("latin1")).toBe(rest);
      expect(session.state).toBe("switched/switched");
      expect(() => session.send({ type: "response", status: 200 })).toThrow(
        expect.objectContaining({ code: "wrong-state" }),
      );
    } else {
      expect(send).toThrow(expect.objectContaining({ code: throws }));
      // Nothing has been sent: an ordinary reply is still possible.
      expect(outputText(session.send({ type: "response", status: 426 }))).toMatch(/^HTTP\/1.1 426 /);
    }
  });
});

afterEach(() => vi.restoreAllMocks());

const serve = (handler: HttpHandler, options: HttpServerOptions = {}): ReturnType<typeof serveHttp> =>
  serveHttp(handler, { onError: () => undefined, ...options });

const OFFER = "Connection: Upgrade\r\nUpgrade: echo\r\n";
const offer = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${OFFER}${more}\r\n`;
const echo = (stream: Duplex): void => void pipeline(stream, stream, () => undefined);
const taken: HttpHandler = () => ({ status: 101, headers: { Upgrade: "echo" }, takeOver: echo });

describe("an upgrade", () => {
  it("comes after the replies to earlier requests, and gets the bytes behind it", async () => {
    await using http = await serve((request) =>
      request.upgrade.includes("echo") ? taken(request) : request.path,
    );
    await using wire = new Wire(http);
    wire.send(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${offer("/")}GET / HTTP/1.1\r\n`);
    wire.socket.end("bye");
    expect(await wire.ended()).toMatch(
      /^HTTP\/1.1 200 OK\r\n.*\/firstHTTP\/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nGET \/ HTTP\/1.1\r\nbye$/s,
    );
  });

  it("may be accepted later", async () => {
    const go = promised<void>();
    await using http = await serve(async (request) => {
      await go.promise;
      return taken(request);
    });
    await using wire = new Wire(http);
    wire.send(`${offer("/")}early`);
    await vi.waitFor(() => expect(http.connections.size).toBe(1));
    wire.send(", and late");
    go.resolve();
    await wire.until(/\r\n\r\nearly, and late$/);
    wire.socket.end();
    await wire.ended();
  });

  it("is accepted when the request's body has been read, and not before (RFC 9110 §7.8)", async () => {
    const onError = vi.fn<() => void>();
    await using http = await serve(
      async (request) => {
        if (request.path === "/read") await request.text();
        return taken(request);
      },
      { onError },
    );
    await using unread = new Wire(http);
    unread.send(offer("/unread", "Content-Length: 5\r\n"));
    await unread.until("HTTP/1.1 500 ");
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "bad-reply" }), expect.anything());
    await using read = new Wire(http);
    read.send(`${offer("/read", "Content-Length: 5\r\n")}hello`);
    read.socket.end("behind");
    expect(await read.ended()).toMatch(/^HTTP\/1.1 101 .*\r\n\r\nbehind$/s);
  });

  it("to what was not offered is a mistake of ours: 500", async () => {
    const onError = vi.fn<() => void>();
    await using http = await serve(taken, { onError });
    await using wire = new Wire(http);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n");
    await wire.until("HTTP/1.1 500 ");
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "bad-reply" }), expect.anything());
  });

  it("that is refused gets an ordinary reply, and the connection is kept", async () => {
    await using http = await serve(({ path }) =>
      path === "/next" ? path : { status: 426, headers: { Upgrade: "other" } },
    );
    await using wire = new Wire(http);
    wire.send(offer("/"));
    await wire.until(/426 Upgrade Required\r\n.*Upgrade: other\r\nConnection: Upgrade\r\n\r\n/s);
    wire.send("GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(await wire.ended()).toMatch(/\/next$/);
  });

  it("whose new owner throws is closed, and heard of", async () => {
    const onError = vi.fn<() => void>();
    const wrong = new Error("wrong");
    await using http = await serve(
      () => ({
        takeOver: () => {
          throw wrong;
        },
      }),
      { onError },
    );
    await using wire = new Wire(http);
    wire.send(offer("/"));
    expect(await wire.ended()).toBe("");
    expect(onError).toHaveBeenCalledWith(wrong, expect.anything());
  });
});

describe("WebSockets by the ws package", () => {
  /** Echoes on /echo; any other path is served as ever. */
  function echoes(): { handler: HttpHandler; sockets: WebSocketServer } {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 16_000_000 });
    sockets.on("connection", (socket) => {
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    const handler: HttpHandler = (request) => {
      if (request.path !== "/echo") return `plain ${request.path}`;
      if (!request.upgrade.includes("websocket")) return { status: 426, headers: { Upgrade: "websocket" } };
      const asked = nodeRequest(request) as IncomingMessage;
      return {
        takeOver: (stream) =>
          sockets.handleUpgrade(asked, stream, Buffer.alloc(0), (socket) =>
            sockets.emit("connection", socket, asked),
          ),
      };
    };
    return { handler, sockets };
  }

  it("echo text, binary and large messages, and answer pings, to ws's own client", async () => {
    await using http = await serve(echoes().handler);
    const socket = new WsClient(`ws://127.0.0.1:${http.port}/echo`);
    await once(socket, "open");
    const answer = async (data: string | Buffer): Promise<unknown[]> => {
      socket.send(data);
      return once(socket, "message");
    };
    expect(String((await answer("hello — ✓"))[0])).toBe("hello — ✓");
    const large = Buffer.alloc(5_000_000, "0123456789abcdefg");
    const [back, isBinary] = await answer(large);
    expect(large.equals(back as Buffer)).toBe(true);
    expect(isBinary).toBe(true);
    socket.ping("are you there");
    expect(String((await once(socket, "pong"))[0])).toBe("are you there");
    socket.close(4001, "enough");
    const [code, reason] = await once(socket, "close");
    expect([code, String(reason)]).toEqual([4001, "enough"]);
  });

  it("speak with Node's built-in client, beside plain requests", async () => {
    const { handler, sockets } = echoes();
    await using http = await serve(handler);
    const socket = new WebSocket(`ws://127.0.0.1:${http.port}/echo`);
    socket.binaryType = "arraybuffer";
    await once(socket, "open");
    const answer = async (data: string | Uint8Array<ArrayBuffer>): Promise<unknown> => {
      socket.send(data);
      const [event] = (await once(socket, "message")) as [MessageEvent];
      return event.data;
    };
    expect(await answer("hello")).toBe("hello");
    expect(await answer(new Uint8Array([0, 1, 255]))).toEqual(new Uint8Array([0, 1, 255]).buffer);
    const plain = await fetch(`http://127.0.0.1:${http.port}/else`);
    expect(await plain.text()).toBe("plain /else");
    // The server's word on the close, to the client.
    for (const one of sockets.clients) one.close(1001, "restart");
    const [event] = (await once(socket, "close")) as [CloseEvent];
    expect([event.code, event.reason, event.wasClean]).toEqual([1001, "restart", true]);
  });

  it("are refused in plain HTTP: by the handler, and by ws itself", async () => {
    const { handler } = echoes();
    await using http = await serve(handler);
    const url = `http://127.0.0.1:${http.port}/echo`;
    const reply = await fetch(url);
    expect([reply.status, reply.headers.get("upgrade")]).toEqual([426, "websocket"]);
    const elsewhere = new WsClient(`${url.replace("http", "ws")}lessly`);
    const [error] = (await once(elsewhere, "error")) as [Error];
    expect(error.message).toBe("Unexpected server response: 200");
    await using wire = new Wire(http);
    wire.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    expect(await wire.ended()).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
  });

  it("are judged by ws's verifyClient, which looks at the socket", async () => {
    const verifyClient = vi.fn<(info: { secure: boolean; origin: string }) => boolean>(() => false);
    const sockets = new WebSocketServer({ noServer: true, verifyClient });
    await using http = await serve((request) => ({
      takeOver: (stream) =>
        sockets.handleUpgrade(
          nodeRequest(request) as IncomingMessage,
          stream,
          Buffer.alloc(0),
          () => undefined,
        ),
    }));
    const socket = new WsClient(`ws://127.0.0.1:${http.port}/`, { origin: "http://a.example" });
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toBe("Unexpected server response: 401");
    expect(verifyClient.mock.calls[0]?.[0]).toMatchObject({ secure: false, origin: "http://a.example" });
  });

  it("that are open when the server drains are theirs to close", async () => {
    const { handler, sockets } = echoes();
    const http = await serve(handler);
    const socket = new WsClient(`ws://127.0.0.1:${http.port}/echo`);
    await once(socket, "open");
    const closed = http.close({ deadline: 5000 });
    for (const one of sockets.clients) one.close(1001);
    expect((await once(socket, "close"))[0]).toBe(1001);
    expect(await closed).toEqual({ drained: 1, cut: 0 });
  });
});

function hasCurl(): boolean {
  try {
    execFileSync("curl", ["--version"]);
    return true;
  } catch {
    if (process.env["CI"] !== undefined) throw new Error("curl is missing: CI must install it");
    console.warn("curl is missing: its tests are skipped");
    return false;
  }
}

describe("CONNECT", () => {
  /** Opens a tunnel to where the client wants to go, but for one port. */
  const proxy: HttpHandler = async (request) => {
    if (request.method !== "CONNECT") return { status: 404 };
    const { hostname, port } = new URL(`http://${request.target}`);
    if (port === "9") return { status: 403, body: "not there\n" };
    const upstream = connect(Number(port), hostname);
    await once(upstream, "connect");
    return { status: 200, takeOver: (stream) => void pipeline(stream, upstream, stream, () => undefined) };
  };
  const options = { methods: [...DEFAULT_METHODS, "CONNECT"] };

  it.skipIf(!hasCurl())("tunnels curl's requests", async () => {
    await using origin = await serve(async (request) => `${request.host} ${await request.text()}`);
    await using tunnel = await serve(proxy, options);
    const big = "x".repeat(500_000);
    const url = `http://127.0.0.1:${origin.port}/`;
    const run = promisify(execFile)(
      "curl",
      ["-sSp", "--max-time", "20", "--proxy", `http://127.0.0.1:${tunnel.port}`, url, "--data-binary", "@-"],
      { maxBuffer: 16_000_000 },
    );
    run.child.stdin?.end(big);
    expect((await run).stdout).toBe(`127.0.0.1:${origin.port} ${big}`);
  });

  it("hands on what the client sent before it heard that the tunnel is open", async () => {
    await using origin = await serve(() => "origin");
    await using tunnel = await serve(proxy, options);
    await using wire = new Wire(tunnel);
    const target = `127.0.0.1:${origin.port}`;
    wire.send(
      `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(await wire.ended()).toMatch(
      /^HTTP\/1.1 200 OK\r\nDate: [^\r]+\r\n\r\nHTTP\/1.1 200 OK\r\n.*\r\n\r\norigin$/s,
    );
  });

  it("that is refused is the last request, since what follows may be meant for the tunnel", async () => {
    const handler = vi.fn<HttpHandler>(proxy);
    await using http = await serve(handler, options);
    await using wire = new Wire(http);
    wire.send("CONNECT a:9 HTTP/1.1\r\nHost: a:9\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await wire.ended()).toMatch(/^HTTP\/1.1 403 .*Connection: close\r\n\r\nnot there\n$/s);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("is not answered by an ordinary 2xx", async () => {
    const onError = vi.fn<() => void>();
    await using http = await serve(() => "hello", { ...options, onError });
    await using wire = new Wire(http);
    wire.send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    expect(await wire.ended()).toMatch(/^HTTP\/1.1 500 /);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "bad-reply" }), expect.anything());
  });
});
