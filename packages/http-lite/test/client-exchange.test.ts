// One exchange of the client, to the byte: uploads, Expect, early replies, bodies that are left, and every deadline.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { stallAfter } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import { HttpClient, request, serveHttp } from "../src/index.ts";
import { memoryClient, okWith } from "./client-support.ts";
import { promised } from "./wire.ts";

/** A body of these pieces, and whether it was stopped or finished. */
function source(...pieces: readonly (string | Promise<string>)[]) {
  const over = promised<string>();
  const body = (async function* () {
    let how = "stopped";
    try {
      for (const piece of pieces) yield await piece;
      how = "finished";
    } finally {
      over.resolve(how);
    }
  })();
  return { body, over: over.promise };
}

const EXPECT = { method: "POST", headers: { Expect: "100-continue" }, body: "hello" };

describe("Expect: 100-continue", () => {
  it("sends the body when the server asks for it", async () => {
    const { client, next, made } = memoryClient();
    const reply = client.request(EXPECT);
    const server = await next();
    expect(await server.head()).toBe(
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    );
    expect(server.text).toBe("");
    server.send("HTTP/1.1 100 Continue\r\n\r\n");
    await server.until("hello");
    server.send(okWith("thanks"));
    expect(await (await reply).text()).toBe("thanks");
    // And the connection is kept.
    void client.request({ path: "/next" });
    expect(await server.head()).toContain("GET /next ");
    expect(made).toHaveLength(1);
  });

  it("sends it after a while to a server that does not know the expectation", async () => {
    const { client, next, clock } = memoryClient({ deadlines: { continue: 1000 } });
    const reply = client.request(EXPECT);
    const server = await next();
    await server.head();
    clock.advance(900);
    expect(server.text).toBe("");
    clock.advance(400);
    await server.until("hello");
    server.send(okWith("thanks"));
    expect(await (await reply).text()).toBe("thanks");
    await client.close();
  });

  it("does not send it when the server refuses, and closes: what follows could be taken for it", async () => {
    const { client, next, clock } = memoryClient();
    const { body, over } = source("never sent");
    const reply = client.request({ ...EXPECT, body });
    const server = await next();
    await server.head();
    server.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    expect((await reply).status).toBe(417);
    await server.ended();
    expect(server.text).toBe("");
    clock.advance(10_000);
    await client.close();
    // The source was never begun: there is nothing that it would have to let go.
    void over;
  });

  it("needs a body", async () => {
    const { client } = memoryClient();
    await expect(client.request({ headers: { expect: "100-continue" } })).rejects.toMatchObject({
      code: "bad-request",
    });
  });

  it("is answered by our server when the handler reads", async () => {
    await using http = await serveHttp(async (asked) => asked.text());
    await using client = new HttpClient({ port: http.port, deadlines: { continue: Infinity } });
    expect(await (await client.request(EXPECT)).text()).toBe("hello");
    expect(await (await client.request({ ...EXPECT, body: source("he", "llo").body })).text()).toBe("hello");
  });
});

describe("a reply before the upload is done", () => {
  it("with `close` stops the upload and closes", async () => {
    const { client, next } = memoryClient();
    const second = promised<string>();
    const { body, over } = source("first", second.promise, "third");
    const reply = client.request({ method: "POST", body });
    const server = await next();
    await server.until("5\r\nfirst\r\n");
    server.send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nmuch");
    expect(await (await reply).text()).toBe("much");
    await server.ended();
    second.resolve("second");
    expect(await over).toBe("stopped");
    expect(server.text).toBe("");
    await client.close();
  });

  it("without `close` leaves it time: the connection is free when both are done", async () => {
    const { client, next, made } = memoryClient({ maxConnections: 1 });
    const second = promised<string>();
    const { body, over } = source("first", second.promise);
    const reply = client.request({ method: "POST", body });
    const waits = client.request({ path: "/next" });
    const server = await next();
    await server.until("5\r\nfirst\r\n");
    server.send(okWith("early"));
    expect(await (await reply).text()).toBe("early");
    expect(server.text).toBe("");
    second.resolve("second");
    expect(await server.until("GET")).toBe("6\r\nsecond\r\n0\r\n\r\nGET");
    expect(await over).toBe("finished");
    await server.head();
    server.send(okWith("next"));
    expect(await (await waits).text()).toBe("next");
    expect(made).toHaveLength(1);
    await client.close();
  });

  it("counts, although the server goes away with it", async () => {
    const { client, next } = memoryClient();
    const second = promised<string>();
    const { body } = source("first", second.promise, "third");
    const reply = client.request({ method: "POST", body });
    const server = await next();
    await server.until("first");
    server.send("HTTP/1.1 200 OK\r\n\r\nall").connection.end();
    expect(await (await reply).text()).toBe("all");
    second.resolve("second");
    await client.close();
  });
});

describe("an upload", () => {
  it("that fails fails the request, with its own error, and closes", async () => {
    const { client, next } = memoryClient();
    const broken = new Error("the disk is gone");
    const reply = client.request({
      method: "POST",
      body: (async function* () {
        yield "first";
        throw broken;
      })(),
    });
    const server = await next();
    await expect(reply).rejects.toBe(broken);
    await server.ended();
    expect(server.text).not.toContain("0\r\n\r\n");
  });

  it.each([
    ["less", "2"],
    ["more", "6"],
  ])("is not what its Content-Length says: %s", async (_name, length) => {
    const { client, next } = memoryClient();
    const headers = { "Content-Length": length };
    const reply = client.request({ method: "POST", headers, body: source("four").body });
    const server = await next();
    await expect(reply).rejects.toMatchObject({ code: "length-mismatch", blame: "local" });
    await server.ended();
  });

  it("is stopped by the caller's signal", async () => {
    const { client, next } = memoryClient();
    const controller = new AbortController();
    const second = promised<string>();
    const { body, over } = source("first", second.promise);
    const reply = client.request({ method: "POST", body, signal: controller.signal });
    const server = await next();
    await server.until("first");
    controller.abort();
    await expect(reply).rejects.toMatchObject({ code: "aborted" });
    second.resolve("second");
    expect(await over).toBe("stopped");
  });
});

describe("a body", () => {
  const piece = "x".repeat(1000);

  it("that is left with little to come is dropped, and the connection kept", async () => {
    const { client, next, made } = memoryClient({ maxConnections: 1 });
    const reply = client.request();
    const second = client.request({ path: "/2" });
    const server = await next();
    await server.head();
    server.send(`HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n${piece}`);
    (await reply).discard();
    expect(server.text).toBe("");
    server.send(piece);
    expect(await server.head()).toContain("GET /2 ");
    server.send(okWith("two"));
    expect(await (await second).text()).toBe("two");
    expect(made).toHaveLength(1);
    await client.close();
  });

  it("that is left may not take long to come", async () => {
    const { client, next, clock } = memoryClient({ deadlines: { body: 1000 } });
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    (await reply).discard();
    clock.advance(600);
    server.send("a");
    await setImmediate();
    clock.advance(600);
    await server.ended();
    await client.close();
  });

  it.each([
    ["much to come", "Content-Length: 1000000"],
    ["who knows what to come", "Transfer-Encoding: chunked"],
  ])("that is left with %s closes the connection", async (_name, field) => {
    const { client, next } = memoryClient();
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n3e8\r\n${piece}\r\n`);
    for await (const part of (await reply).body) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }
    await server.ended();
  });

  it("that was discarded is not read as a complete one", async () => {
    const { client, next } = memoryClient();
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send(okWith("complete"));
    const response = await reply;
    response.discard();
    await expect(response.text()).rejects.toMatchObject({ code: "aborted" });
  });

  it("is read once", async () => {
    const { client, next } = memoryClient();
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send(okWith("once"));
    const response = await reply;
    expect(await response.text()).toBe("once");
    await expect(response.text()).rejects.toThrow("only once");
  });

  it("gives what came before the server went away, and then its error", async () => {
    const { client, next } = memoryClient();
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").connection.end();
    const parts: string[] = [];
    const read = async (): Promise<void> => {
      for await (const part of (await reply).body) parts.push(Buffer.from(part).toString());
    };
    await expect(read()).rejects.toMatchObject({ code: "incomplete" });
    expect(parts).toEqual(["half"]);
  });

  it("holds the server back while nobody reads it", async () => {
    let sent = 0;
    await using http = await serveHttp(() => ({
      body: (async function* () {
        for (; sent < 600; sent++) yield Buffer.alloc(65_536);
      })(),
    }));
    await using client = new HttpClient({ port: http.port });
    const reply = await client.request();
    // Another request's answer shows that the server has had its turns.
    for (let turn = 0; turn < 20; turn++) await (await client.request({ method: "HEAD" })).bytes();
    expect(sent).toBeLessThan(400);
    let size = 0;
    for await (const part of reply.body) size += part.length;
    expect(size).toBe(600 * 65_536);
  });
});

describe("a deadline", () => {
  it("of connecting", async () => {
    const { client, clock } = memoryClient({
      deadlines: { connect: 500 },
      connect: async (options) => {
        const { connect } = await import("@tcpkit/core");
        // A look-up that never ends.
        const dial = connect({
          ...options,
          host: "nowhere.test",
          lookup: () => new Promise(() => {}),
          clock,
        });
        clock.advance(600);
        return dial;
      },
    });
    await expect(client.request()).rejects.toMatchObject({ code: "timeout", deadline: "connect" });
    expect(clock.timers).toBe(0);
  });

  it("of the head is for all of it: neither interim replies nor single bytes move it", async () => {
    const { client, next, clock } = memoryClient({ deadlines: { head: 1000 } });
    const interim = promised<void>();
    const reply = client.request({ onInformational: () => interim.resolve() });
    const server = await next();
    await server.head();
    clock.advance(600);
    server.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 2");
    await interim.promise;
    clock.advance(600);
    await expect(reply).rejects.toMatchObject({ name: "HttpError", code: "timeout", deadline: "head" });
    await server.ended();
  });

  it("of the head begins when the request has been sent", async () => {
    const { client, next, clock } = memoryClient({ deadlines: { head: 1000 } });
    const second = promised<string>();
    const reply = client.request({ method: "POST", body: source("first", second.promise).body });
    const server = await next();
    await server.until("first");
    clock.advance(60_000);
    second.resolve("second");
    await server.until("0\r\n\r\n");
    clock.advance(900);
    server.send(okWith("slow"));
    expect(await (await reply).text()).toBe("slow");
    await client.close();
  });

  it("of the body is for each piece, and fails its reader", async () => {
    const { client, next, clock } = memoryClient({ deadlines: { body: 1000 } });
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    const pieces = (await reply).body[Symbol.asyncIterator]();
    for (const letter of "abc") {
      server.send(letter);
      expect((await pieces.next()).value?.toString()).toBe(letter);
      clock.advance(900);
    }
    clock.advance(400);
    await expect(pieces.next()).rejects.toMatchObject({ code: "timeout", deadline: "body" });
    await server.ended();
  });

  it("of the body is not for a caller who reads slowly", async () => {
    const { client, next, clock } = memoryClient({ deadlines: { body: 1000 } });
    const reply = client.request();
    const server = await next();
    await server.head();
    const length = 1_000_000;
    server.send(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
    const { body } = await reply;
    for (let sent = 0; sent < length; sent += 50_000) server.send("x".repeat(50_000));
    // As much has come as there is room for.
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    clock.advance(5000);
    let size = 0;
    for await (const part of body) size += part.length;
    expect(size).toBe(length);
    await client.close();
  });

  it("of the body runs again when the caller has caught up", async () => {
    const { client, next, clock } = memoryClient({ deadlines: { body: 1000 } });
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(200_000)}`);
    const { body } = await reply;
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    const pieces = body[Symbol.asyncIterator]();
    for (let size = 0; size < 200_000; size += (await pieces.next()).value?.length ?? 0);
    const late = pieces.next();
    await setImmediate();
    clock.advance(1300);
    await expect(late).rejects.toMatchObject({ code: "timeout", deadline: "body" });
  });

  it("of writing: a server that takes nothing", async () => {
    const { client, clock, next } = memoryClient(
      { deadlines: { write: 1000 } },
      { faults: { toServer: stallAfter(1000) } },
    );
    const pieces = Array.from({ length: 20 }, () => "x".repeat(65_536));
    const { body, over } = source(...pieces);
    let failure: unknown;
    client.request({ method: "PUT", body }).catch((error: unknown) => (failure = error));
    await (await next()).until("x");
    while (failure === undefined) {
      await setImmediate();
      clock.advance(500);
    }
    expect(failure).toMatchObject({ code: "timeout", deadline: "write" });
    expect(await over).toBe("stopped");
  });

  it("of a kept connection closes it", async () => {
    const { client, next, clock } = memoryClient({ deadlines: { idle: 1000 } });
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send(okWith("one"));
    expect(await (await reply).text()).toBe("one");
    clock.advance(1200);
    await server.ended();
    await client.close();
    expect(clock.timers).toBe(0);
  });
});

describe("interim replies", () => {
  it("are heard; a listener that throws fails its request", async () => {
    const { client, next } = memoryClient();
    const broken = new Error("listener");
    const reply = client.request({
      onInformational: () => {
        throw broken;
      },
    });
    const server = await next();
    await server.head();
    server.send("HTTP/1.1 103 Early Hints\r\n\r\n");
    await expect(reply).rejects.toBe(broken);
    await server.ended();
  });

  it("are heard; a listener that rejects fails its request, or the reading of its reply", async () => {
    const { client, next } = memoryClient();
    const broken = new Error("listener");
    const failed = promised<void>();
    const onInformational = (async () => {
      await failed.promise;
      throw broken;
    }) as () => void;
    const unanswered = client.request({ onInformational });
    const unread = client.request({ onInformational });
    const complete = client.request({ onInformational });
    const servers = [await next(), await next(), await next()] as const;
    for (const server of servers) {
      await server.head();
      server.send("HTTP/1.1 103 Early Hints\r\n\r\n");
    }
    servers[1].send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    servers[2].send(okWith("whole"));
    const half = await unread;
    const whole = await complete;
    failed.resolve();
    await expect(unanswered).rejects.toBe(broken);
    await expect(half.text()).rejects.toBe(broken);
    expect(await whole.text()).toBe("whole");
  });

  it("may not go on for ever", async () => {
    const { client, next } = memoryClient();
    const reply = client.request();
    const server = await next();
    await server.head();
    server.send("HTTP/1.1 102 Processing\r\n\r\n".repeat(101));
    await expect(reply).rejects.toMatchObject({ code: "unexpected-bytes" });
  });
});

describe("a target", () => {
  it.each([
    "",
    "hello",
    "?q",
    "*",
    "//é",
    "/a b",
    "/a\tb",
    "/#x",
    "a:80",
    "http://user:pw@other.test/x",
    "http://user@127.0.0.1/",
    "http:///x",
    "http://a b/",
    "ftp://a/",
  ])("is not %j", async (target) => {
    const { client, made } = memoryClient();
    await expect(client.request({ path: target })).rejects.toMatchObject({
      code: "bad-request",
      blame: "local",
    });
    expect(made).toEqual([]);
  });

  it.each([
    ["OPTIONS", "*"],
    ["GET", "http://other.test/a"],
    ["GET", "//a?b"],
  ])("is %s %s", async (method, target) => {
    const { client, next } = memoryClient();
    void client.request({ method, path: target });
    expect(await (await next()).head()).toContain(`${method} ${target} HTTP/1.1\r\n`);
  });
});

describe("Host", () => {
  it.each([
    ["http://other.test/a", "other.test"],
    ["HTTPS://other.test:8443?q", "other.test:8443"],
  ])("is what a target in absolute-form names: %s (RFC 9112 §3.2)", async (target, host) => {
    const { client, next } = memoryClient();
    void client.request({ path: target });
    expect(await (await next()).head()).toBe(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    void client.request({ path: target, headers: { host: host.toUpperCase() } });
    expect(await (await next()).head()).toContain(`\r\nhost: ${host.toUpperCase()}\r\n`);
  });

  it("may be another one than the server's", async () => {
    const { client, next } = memoryClient();
    void client.request({ headers: { Host: "virtual.test:81" } });
    expect(await (await next()).head()).toBe("GET / HTTP/1.1\r\nHost: virtual.test:81\r\n\r\n");
  });

  it.each(["", "a b/c", "a/b", "user@a", "a,b", "a:99999", "http://a"])("is not %j", async (host) => {
    const { client, made } = memoryClient();
    const refused = { code: "bad-request", blame: "local" };
    await expect(client.request({ headers: { Host: host } })).rejects.toMatchObject(refused);
    await expect(client.upgrade({ protocols: ["echo"], headers: [["host", host]] })).rejects.toMatchObject(
      refused,
    );
    await expect(client.connect({ target: "a:1", headers: { Host: host } })).rejects.toMatchObject(refused);
    expect(made).toEqual([]);
  });

  it("is not another one than the target's", async () => {
    const { client } = memoryClient();
    await expect(
      client.request({ path: "http://other.test/", headers: { Host: "one.test" } }),
    ).rejects.toMatchObject({ code: "bad-request" });
  });
});

describe("a request without a body", () => {
  it.each([
    ["POST", "Content-Length: 0\r\n"],
    ["PUT", "Content-Length: 0\r\n"],
    ["PATCH", "Content-Length: 0\r\n"],
    ["GET", ""],
    ["DELETE", ""],
    ["OPTIONS", ""],
    ["get", ""],
  ])("%s says so where content is meant to be: %j (RFC 9110 §8.6)", async (method, length) => {
    for (const options of [{}, { body: null }]) {
      const { client, next } = memoryClient();
      void client.request({ method, ...options });
      expect(await (await next()).head()).toBe(`${method} / HTTP/1.1\r\nHost: 127.0.0.1\r\n${length}\r\n`);
    }
  });

  it("says it once where the program does as well", async () => {
    const { client, next } = memoryClient();
    void client.request({ method: "POST", headers: { "Content-Length": 0 } });
    expect(await (await next()).head()).toBe(
      "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
    );
  });
});

it("CONNECT is not asked for by request(), which could not hand the tunnel over", async () => {
  const { client, made } = memoryClient();
  for (const path of ["/", "a:1", "http://a/"]) {
    await expect(client.request({ method: "CONNECT", path })).rejects.toMatchObject({ code: "bad-request" });
  }
  expect(made).toEqual([]);
});

describe("where the server is", () => {
  it.each([
    [{}, "127.0.0.1"],
    [{ host: "one.test", port: 8080 }, "one.test:8080"],
    [{ host: "::1", port: 81 }, "[::1]:81"],
    [{ host: "one.test", port: 80 }, "one.test"],
    [{ host: "one.test", tls: true }, "one.test"],
    [{ host: "one.test", tls: true, port: 80 }, "one.test:80"],
    [{ socketPath: "/tmp/s" }, "localhost"],
  ] as const)("%j is the Host %s", async (options, host) => {
    const { client, next } = memoryClient(options);
    void client.request();
    expect(await (await next()).head()).toContain(`\r\nHost: ${host}\r\n`);
  });

  it("is a Unix socket", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "http-client-"));
    const socketPath = path.join(folder, "s");
    const http = await serveHttp((asked) => asked.host ?? "", { path: socketPath });
    expect(await (await request({ socketPath })).text()).toBe("localhost");
    await using client = new HttpClient({ socketPath, host: "one.test" });
    expect(await (await client.request()).text()).toBe("one.test");
    await client.close();
    await http.close();
    await rm(folder, { recursive: true });
  });

  it("is behind TLS: SNI, a certificate for the host, and connections that are kept", async () => {
    // Core's certificates for tests: see the README beside them.
    const pem = (name: string): Buffer =>
      readFileSync(new URL(`../../core/test/certificates/test-${name}.pem`, import.meta.url));
    const ca = pem("ca");
    let connections = 0;
    await using https = await serveHttp((asked) => `${asked.secure} ${asked.host}`, {
      tls: { key: pem("one.test-key"), cert: pem("one.test") },
    });
    https.on("connection", () => (connections += 1));
    const { port } = https;
    const lookup = (): Promise<{ address: string; family: number }[]> =>
      Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    await using client = new HttpClient({ host: "one.test", port, tls: { ca }, lookup });
    for (let count = 0; count < 3; count++) {
      expect(await (await client.request()).text()).toBe(`true one.test:${port}`);
    }
    expect(connections).toBe(1);
    for (const { tls } of https.connections)
      expect(tls).toMatchObject({ servername: "one.test", alpn: "http/1.1" });
    for (const options of [
      { host: "two.test", tls: { ca } },
      { host: "one.test", tls: true as const },
    ]) {
      await expect(request({ ...options, port, lookup })).rejects.toMatchObject({ code: "tls-failed" });
    }
  });

  it.each([[{ host: "a\r\nX: y" }], [{ host: "a b" }], [{ host: "" }], [{ host: "a/b" }]])(
    "is not %j",
    (options) => {
      expect(() => new HttpClient(options)).toThrow(expect.objectContaining({ code: "bad-request" }));
    },
  );

  it("has room for one connection at least", () => {
    expect(() => new HttpClient({ maxConnections: 0 })).toThrow(
      expect.objectContaining({ code: "bad-option" }),
    );
  });
});
