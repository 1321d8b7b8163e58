// HTTPS: the same server behind TLS, with clients that others wrote.
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { pipeline } from "node:stream";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Listener } from "@tcpkit/core";
import { WebSocket as WsClient, WebSocketServer } from "ws";
import { nodeRequest, serveHttp } from "../src/index.ts";

// Core's certificates for tests: see the README beside them.
const pem = (name: string): URL => new URL(`../../core/test/certificates/test-${name}.pem`, import.meta.url);
const caFile = fileURLToPath(pem("ca"));
const ca = readFileSync(caFile);
const tls = { key: readFileSync(pem("one.test-key")), cert: readFileSync(pem("one.test")) };
let https: Listener;

beforeAll(async () => {
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  https = await serveHttp(
    async (request) => {
      if (!request.upgrade.includes("websocket")) {
        return `${request.method} ${request.secure ? "https" : "http"}://${request.host}${request.path} ${await request.text()}`;
      }
      const asked = nodeRequest(request) as IncomingMessage;
      return {
        takeOver: (stream) =>
          sockets.handleUpgrade(asked, stream, Buffer.alloc(0), (socket) =>
            sockets.emit("connection", socket, asked),
          ),
      };
    },
    { tls, deadlines: { goodbye: 0 } },
  );
});

afterAll(() => https.close());

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

const run = promisify(execFile);

describe.skipIf(!hasCurl())("curl", () => {
  it("verifies the certificate, negotiates http/1.1, and keeps the connection", async () => {
    const url = `https://one.test:${https.port}`;
    const resolve = ["--resolve", `one.test:${https.port}:127.0.0.1`];
    const { stdout, stderr } = await run("curl", [
      "-sv",
      "--http2",
      "--max-time",
      "10",
      "--cacert",
      caFile,
      ...resolve,
      `${url}/a`,
      `${url}/b`,
    ]);
    expect(stdout).toBe(`GET ${url}/a GET ${url}/b `);
    expect(stderr).toMatch(/ALPN: server accepted http\/1\.1/);
    expect(stderr).toMatch(/Re-using existing .*connection/);
  });

  it("trusts nobody else", async () => {
    const failed = run("curl", ["-sS", "--max-time", "10", `https://127.0.0.1:${https.port}/`]);
    await expect(failed).rejects.toMatchObject({ code: 60 });
  });

  it("reaches it through a tunnel", async () => {
    await using proxy = await serveHttp(
      async ({ target }) => {
        const upstream = connect(Number(target.split(":").at(-1)), "127.0.0.1");
        await once(upstream, "connect");
        return {
          status: 200,
          takeOver: (stream) => void pipeline(stream, upstream, stream, () => undefined),
        };
      },
      { methods: ["CONNECT"] },
    );
    const url = `https://one.test:${https.port}/tunnelled`;
    const proxied = ["--proxy", `http://127.0.0.1:${proxy.port}`, "--cacert", caFile];
    const { stdout } = await run("curl", ["-sS", "--max-time", "10", ...proxied, url, "-d", "body"]);
    expect(stdout).toBe(`POST ${url} body`);
  });
});

describe("Node", () => {
  it("node:https posts a body", async () => {
    const posted = request({
      port: https.port,
      host: "127.0.0.1",
      ca,
      servername: "one.test",
      method: "POST",
    });
    posted.end("x".repeat(200_000));
    const [reply] = (await once(posted, "response")) as [IncomingMessage];
    expect(reply.statusCode).toBe(200);
    expect(await text(reply)).toBe(`POST https://127.0.0.1:${https.port}/ ${"x".repeat(200_000)}`);
  });

  it.each([
    [["h2", "http/1.1"], "http/1.1"],
    [undefined, false],
  ])("a client that offers %j gets %j", async (offered, chosen) => {
    const ALPNProtocols = offered === undefined ? {} : { ALPNProtocols: offered };
    const socket = connectTls({ port: https.port, ca, servername: "one.test", ...ALPNProtocols });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe(chosen);
    socket.end("GET / HTTP/1.1\r\nHost: one.test\r\nConnection: close\r\n\r\n");
    expect(await text(socket)).toMatch(/GET https:\/\/one.test\/ $/);
  });

  it("a client that offers HTTP/2 alone is refused in the handshake (RFC 7301 §3.2)", async () => {
    const socket = connectTls({ port: https.port, ca, servername: "one.test", ALPNProtocols: ["h2"] });
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL");
  });

  it("a WebSocket over TLS", async () => {
    const socket = new WsClient(`wss://127.0.0.1:${https.port}/`, { ca });
    await once(socket, "open");
    socket.send("hello");
    expect(String((await once(socket, "message"))[0])).toBe("hello");
    socket.close(1000);
    expect((await once(socket, "close"))[0]).toBe(1000);
  });
});
