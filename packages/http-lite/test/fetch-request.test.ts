// The Request that an application gets: like the platform's in all that can be seen, and made only as far as that is seen.
import { createServer } from "node:http";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { inspect } from "node:util";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import type { Listener } from "@tcpkit/core";
import { describe, expect, it, vi } from "vitest";
import { urlOf } from "../src/fetch-url.ts";
import { fetchHandler, serveHttp } from "../src/index.ts";
import type { FetchApplication, HttpError, HttpServerOptions } from "../src/index.ts";
import { promised, Wire } from "./wire.ts";

const NativeRequest = globalThis.Request;
const serve = (application: FetchApplication, options: HttpServerOptions = {}): Promise<Listener> =>
  serveHttp(fetchHandler(application), {
    onError: () => undefined,
    deadlines: { goodbye: 0 },
    ...options,
  });
const post = (body: string, more = ""): string =>
  `POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}Connection: close\r\n\r\n${body}`;

/** What the application says about a request, sent as bytes. */
async function asked(sent: string, about: (request: Request) => unknown): Promise<unknown> {
  let answer: unknown;
  await using http = await serve(async (request) => {
    try {
      answer = await about(request);
    } catch (error) {
      answer = error;
    }
    return new Response();
  });
  await using wire = new Wire(http);
  wire.send(sent);
  await wire.ended();
  return answer;
}

describe("a request", () => {
  it("has every property that the platform's has, with the same values", async () => {
    const init = { method: "POST", headers: { "Content-Length": "2", Connection: "close", Host: "a.test" } };
    const native = new NativeRequest("http://a.test/p", { ...init, body: "hi" });
    const properties = Object.entries(Object.getOwnPropertyDescriptors(NativeRequest.prototype))
      .filter(([, descriptor]) => !("value" in descriptor))
      .map(([name]) => name as keyof Request);
    expect(properties).toContain("referrerPolicy");
    await asked(post("hi"), (request) => {
      expect(request).toBeInstanceOf(Request);
      expect(request).toBeInstanceOf(NativeRequest);
      for (const name of properties) {
        if (["headers", "signal", "body"].includes(name)) {
          expect(request[name]).toBeInstanceOf((native[name] as object).constructor);
          expect(request[name]).toBe(request[name]);
        } else {
          expect([name, request[name]]).toEqual([name, native[name]]);
        }
      }
      expect(request.headers.get("HOST")).toBe("a.test");
      expect(inspect(request)).toContain("http://a.test/p");
      return true;
    }).then((answer) => expect(answer).toBe(true));
  });

  it.each<[string, (request: Request) => unknown, unknown]>([
    ["text", (request) => request.text(), '{"a":"é"}'],
    ["json", (request) => request.json(), { a: "é" }],
    ["bytes", (request) => request.bytes(), new Uint8Array(Buffer.from('{"a":"é"}'))],
    ["arrayBuffer", async (request) => Buffer.from(await request.arrayBuffer()).toString(), '{"a":"é"}'],
    [
      "blob",
      async (request) => [(await request.blob()).type, await request.blob().catch(String)],
      ["application/json", expect.stringContaining("TypeError")],
    ],
    ["body", (request) => text(request.body!), '{"a":"é"}'],
    [
      "clone",
      async (request) => [await request.clone().text(), await request.text()],
      ['{"a":"é"}', '{"a":"é"}'],
    ],
    ["new Request(it)", (request) => new Request(request).text(), '{"a":"é"}'],
    [
      "new Request(it, init)",
      async (request) => {
        const copy = new Request(request, { headers: { a: "b" } });
        return [copy.method, copy.headers.get("a"), await copy.json(), request.bodyUsed];
      },
      ["POST", "b", { a: "é" }, true],
    ],
    [
      "new Request(url, it)",
      async (request) => {
        const copy = new Request("http://b.test/", request);
        return [copy.url, copy.method, copy.headers.get("content-type"), await copy.text()];
      },
      ["http://b.test/", "POST", "application/json", '{"a":"é"}'],
    ],
    ["text without its byte order mark", (request) => request.text(), '{"a":"é"}'],
  ])("%s", async (name, about, expected) => {
    const mark = name.includes("mark") ? "\xef\xbb\xbf" : "";
    const body = `${mark}{"a":"\xc3\xa9"}`;
    const sent = `POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n${body}`;
    expect(await asked(sent, about)).toEqual(expected);
  });

  it("a body is used once, however it was read", async () => {
    const ways: ((request: Request) => Promise<unknown>)[] = [
      (request) => request.text(),
      (request) => request.blob(),
      (request) => new Request(request).text(),
      (request) => text(request.body!),
    ];
    for (const way of ways) {
      const answer = await asked(post("hi"), async (request) => {
        const before = request.bodyUsed;
        await way(request);
        const refused: unknown[] = [];
        for (const again of ["text", "json", "bytes", "arrayBuffer", "blob"] as const) {
          await request[again]().catch((error: unknown) => refused.push(error));
        }
        for (const again of [() => request.clone(), () => new Request(request)]) {
          try {
            again();
          } catch (error) {
            refused.push(error);
          }
        }
        const replaced = await new Request(request, { method: "PUT", body: "new" }).text();
        return [
          before,
          request.bodyUsed,
          refused.every((error) => error instanceof TypeError),
          refused.length,
          replaced,
        ];
      });
      expect(answer).toEqual([false, true, true, 7, "new"]);
    }
  });

  it("without a body it is null, and text() is empty as often as it is asked for", async () => {
    const sent = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    expect(
      await asked(sent, async (request) => [
        request.body,
        await request.text(),
        await request.text(),
        request.bodyUsed,
      ]),
    ).toEqual([null, "", "", false]);
    // Fetch knows no GET with a body; it is framed all the same, and dropped.
    const odd = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
    expect(await asked(odd, (request) => [request.body, new Request(request).body])).toEqual([null, null]);
  });

  it("over maxBodyBytes: 413, and no bound for who reads the stream", async () => {
    await using http = await serve(
      async (request) => {
        if (request.method === "PUT") return new Response(String((await text(request.body!)).length));
        return new Response(await (await request.blob()).text());
      },
      { limits: { maxBodyBytes: 10 } },
    );
    const url = `http://127.0.0.1:${http.port}/`;
    const body = "x".repeat(11);
    expect((await fetch(url, { method: "POST", body })).status).toBe(413);
    expect(await (await fetch(url, { method: "PUT", body })).text()).toBe("11");
  });

  it("a clone that is over the bound takes nothing from who reads the stream", async () => {
    await using http = await serve(
      async (request) => {
        const refused = request
          .clone()
          .text()
          .catch((error: unknown) => (error as HttpError).code);
        const { length } = await text(request.body!);
        return new Response(`${await refused} ${length}`);
      },
      { limits: { maxBodyBytes: 10 } },
    );
    const reply = await fetch(`http://127.0.0.1:${http.port}/`, {
      method: "POST",
      body: "x".repeat(300_000),
    });
    expect(await reply.text()).toBe("body-too-large 300000");
  });

  it.each<[string, (request: Request) => Promise<unknown>]>([
    ["text", (request) => request.text()],
    ["json", (request) => request.json()],
    ["bytes", (request) => request.bytes()],
    ["arrayBuffer", (request) => request.arrayBuffer()],
    ["blob", (request) => request.blob()],
    // oxlint-disable-next-line no-deprecated -- applications call it
    ["formData", (request) => request.formData()],
    ["clone().text", (request) => request.clone().text()],
    ["clone().clone().text", (request) => request.clone().clone().text()],
    ["text, of a cloned one,", async (request) => [request.clone(), await request.text()]],
    ["text, and that of a clone,", async (request) => Promise.all([request.clone().text(), request.text()])],
  ])("%s is bounded when the body has been looked at, too", async (_, way) => {
    await using http = await serve(
      async (request) => {
        if (request.body === null || request.bodyUsed) return new Response("no body");
        await way(request);
        return new Response("gathered");
      },
      { limits: { maxBodyBytes: 10 } },
    );
    const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    for (const [length, status] of [
      [10, 200],
      [11, 413],
      [5000, 413],
    ] as const) {
      const body = "1".repeat(length);
      const framed = [
        `Content-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
        `Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      ];
      for (const rest of framed) {
        await using wire = new Wire(http);
        wire.send(head + rest);
        expect((await wire.ended()).slice(9, 12)).toBe(String(status));
      }
    }
  });

  it("a body that was looked at and is empty is empty", async () => {
    const sent =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n";
    expect(
      await asked(sent, async (request) => [request.body === null, await request.text(), request.bodyUsed]),
    ).toEqual([false, "", true]);
  });

  it("its headers may be changed at any time, and whatever is made of it has them as they are then", async () => {
    for (const look of [
      (request: Request): unknown => request.body,
      (request: Request): unknown => request.clone(),
      (request: Request): unknown => request.headers,
      (): unknown => undefined,
    ]) {
      for (const sent of [
        post("hi", "Authorization: secret\r\n"),
        "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: secret\r\nConnection: close\r\n\r\n",
      ]) {
        const answer = await asked(sent, (request) => {
          look(request);
          const { headers } = request;
          headers.delete("authorization");
          headers.set("x-new", "1");
          headers.append("x-new", "2");
          const clone = request.clone();
          headers.set("x-late", "1");
          const all = [new Request(clone), new Request(request), clone, request];
          return [
            request.headers === headers,
            ...all.map((each) => ["authorization", "x-new", "x-late"].map((name) => each.headers.get(name))),
          ];
        });
        expect(answer).toEqual([
          true,
          [null, "1, 2", null],
          [null, "1, 2", "1"],
          [null, "1, 2", null],
          [null, "1, 2", "1"],
        ]);
      }
    }
  });

  it("each new Request(it, { body }) has the headers of its time", async () => {
    const answer = await asked(post("hi"), (request) => {
      const seen: (string | null)[] = [];
      for (const value of ["1", "2"]) {
        request.headers.set("x-new", value);
        seen.push(new Request(request, { method: "PUT", body: "other" }).headers.get("x-new"));
      }
      request.headers.delete("x-new");
      seen.push(new Request(request, { method: "PUT", body: "other" }).headers.get("x-new"));
      return seen;
    });
    expect(answer).toEqual(["1", "2", null]);
  });

  it("a content type that was changed says how the body is parsed", async () => {
    const answer = await asked(post("a=1", "Content-Type: text/plain\r\n"), async (request) => {
      request.headers.set("content-type", "application/x-www-form-urlencoded");
      // oxlint-disable-next-line no-deprecated -- applications call it
      return (await request.formData()).get("a");
    });
    expect(answer).toBe("1");
  });

  it("fetch(it) passes it on, its body streaming", async () => {
    const upstream = createServer((request, response) => {
      response.setHeader("X-Saw", `${request.method ?? ""} ${request.headersDistinct["x-tag"]?.[0] ?? ""}`);
      request.pipe(response);
    });
    await once(upstream.listen(0, "127.0.0.1"), "listening");
    const target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/`;
    await using http = await serve((request) => fetch(new Request(target, request)));
    const init = { method: "POST", body: "through", headers: { "X-Tag": "t" } };
    const reply = await fetch(`http://127.0.0.1:${http.port}/`, init);
    expect([reply.headers.get("x-saw"), await reply.text()]).toEqual(["POST t", "through"]);
    let seen: Request | undefined;
    await using own = await serve((request) => {
      seen = request;
      return request.headers.has("x-again")
        ? new Response("itself")
        : fetch(request, { headers: { "x-again": "1" } });
    });
    expect(await (await fetch(`http://127.0.0.1:${own.port}/`)).text()).toBe("itself");
    expect(seen).toBeInstanceOf(Request);
    upstream.close();
  });

  it("a body arrives only as fast as it is read", async () => {
    const gate = promised<void>();
    let read = 0;
    await using http = await serve(async (request) => {
      const reader = request.body!.getReader();
      await reader.read();
      await gate.promise;
      reader.releaseLock();
      for await (const piece of request.body!) read += piece.length;
      return new Response("all");
    });
    await using wire = new Wire(http);
    const size = 32 * 1024 * 1024;
    wire.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`);
    wire.socket.write(Buffer.alloc(size));
    // As much as the kernel and one read take, and not more: the rest has not left the client.
    await vi.waitFor(() => expect([...http.connections][0]?.bytesReceived).toBeGreaterThan(0));
    expect(wire.socket.writableLength).toBe(size);
    gate.resolve();
    expect(await wire.ended()).toMatch(/all$/);
    expect(read).toBeGreaterThan(size - 1024 * 1024);
  });

  it("Expect: 100-continue is answered by reading, not by looking", async () => {
    const gate = promised<void>();
    await using http = await serve(async (request) => {
      expect(request.body).not.toBeNull();
      await gate.promise;
      return new Response(await request.text());
    });
    await using wire = new Wire(http);
    wire.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    );
    await vi.waitFor(() => expect(http.connections.size).toBe(1));
    expect(wire.text).toBe("");
    gate.resolve();
    await wire.until("HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hi");
    expect(await wire.ended()).toMatch(/hi$/);
  });

  it("its signal aborts when the client goes, also the one of a copy", async () => {
    const started = promised<void>();
    const aborted = promised<unknown>();
    await using http = await serve(async (request) => {
      const copy = new Request(request);
      copy.signal.addEventListener("abort", () => aborted.resolve(request.signal.reason));
      started.resolve();
      await aborted.promise;
      return new Response();
    });
    const wire = new Wire(http);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await started.promise;
    wire.socket.resetAndDestroy();
    expect(await aborted.promise).toMatchObject({ name: "HttpError", code: "aborted" });
  });

  it("a cancelled body is read no further, and the connection serves on", async () => {
    await using http = await serve(async (request) => {
      await request.body?.cancel();
      return new Response(String(request.bodyUsed));
    });
    await using wire = new Wire(http);
    wire.send(post("x".repeat(1000)).replace("Connection: close\r\n", "") + post("hi"));
    expect(await wire.ended()).toMatch(/true.*true$/s);
  });

  it("may be looked at after its reply", async () => {
    const kept: Request[] = [];
    await using http = await serve((request) => {
      kept.push(request);
      return new Response();
    });
    for (const tag of ["first", "second"]) {
      await fetch(`http://127.0.0.1:${http.port}/${tag}`, { headers: { "x-tag": tag } });
    }
    expect(kept.map(({ url, headers }) => [url.slice(-5), headers.get("x-tag")])).toEqual([
      ["first", "first"],
      ["econd", "second"],
    ]);
  });
});

describe("its URL", () => {
  it.each([
    ["GET /a/../b?q=' HTTP/1.1\r\nHost: A.Test:80", "http://a.test/b?q=%27"],
    ["GET http://b.test:81 HTTP/1.1\r\nHost: a.test", "http://b.test:81/"],
    ["GET https://b.test/x?y HTTP/1.1\r\nHost: a.test", "http://b.test/x?y"],
    ["OPTIONS * HTTP/1.1\r\nHost: a.test", "http://a.test/*"],
    ["GET //evil.test/ HTTP/1.1\r\nHost: a.test", "http://a.test//evil.test/"],
    ["GET / HTTP/1.0", "http://localhost/"],
    ["GET / HTTP/1.1\r\nHost: [::1]:8080", "http://[::1]:8080/"],
  ])("%j", async (head, expected) => {
    expect(await asked(`${head}\r\nConnection: close\r\n\r\n`, ({ url }) => url)).toBe(expected);
  });

  it.each(["1.2.3.4.5", "256.256.256.256", "a%00b", "[::12345]"])(
    "Host: %s makes none: 400, and the application is not called",
    async (host) => {
      const application = vi.fn<FetchApplication>(() => new Response());
      await using http = await serve(application);
      await using wire = new Wire(http);
      wire.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(await wire.ended()).toMatch(/^HTTP\/1.1 400 /);
      expect(application).not.toHaveBeenCalled();
    },
  );

  it("is what the platform makes of it, whether we parse it or see that there is no need to", () => {
    const piece = fc.constantFrom(
      "/",
      "a",
      "Z",
      "9",
      ".",
      "..",
      "%2e",
      "%2E%2e",
      "%41",
      "?",
      "'",
      '"',
      "\\",
      "^",
      "|",
      "{",
      ":",
      "@",
      "&",
      "=",
      "[",
      "`",
      "<",
      "~",
    );
    const target = fc.array(piece).map((pieces) => `/${pieces.join("")}`);
    const host = fc.constantFrom("a.test", "A.test:80", "127.0.0.1:8080", "[::1]", "1.2.3.4.5");
    fc.assert(
      fc.property(host, target, (host, target) => {
        expect(urlOf("http", host, target)).toBe(URL.parse(`http://${host}${target}`)?.href);
      }),
      { numRuns: 2000 },
    );
  });

  it("is https on a connection with TLS", async () => {
    const read = (name: string): Buffer =>
      readFileSync(new URL(`../../core/test/certificates/test-${name}.pem`, import.meta.url));
    const tls = { key: read("one.test-key"), cert: read("one.test") };
    await using http = await serve(({ url }) => new Response(url), { tls });
    const socket = connect({ port: http.port, host: "127.0.0.1", ca: read("ca"), servername: "one.test" });
    socket.write("GET / HTTP/1.1\r\nHost: one.test\r\nConnection: close\r\n\r\n");
    expect(await text(socket)).toMatch(/\r\n\r\nhttps:\/\/one.test\/$/);
  });
});
