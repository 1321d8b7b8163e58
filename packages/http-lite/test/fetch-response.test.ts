// What becomes of a Response on the wire.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Listener } from "@tcpkit/core";
import { describe, expect, it, vi } from "vitest";
import { passForResponses, TextResponse } from "../src/fetch-text-response.ts";
import { fetchHandler, serveHttp } from "../src/index.ts";
import { promised, Wire } from "./wire.ts";

const NativeResponse = globalThis.Response;
// Here they are made without `new Response`.
passForResponses(NativeResponse);

/** Serves one Response, and gives all that was sent, and what onError heard. */
async function sent(
  make: () => unknown,
  head = "GET / HTTP/1.1\r\nHost: a",
): Promise<{ text: string; errors: unknown[]; http: Listener }> {
  const errors: unknown[] = [];
  const application = make as () => Response;
  await using http = await serveHttp(fetchHandler(application, { replaceResponse: false }), {
    onError: (error) => errors.push(error),
  });
  await using wire = new Wire(http);
  wire.send(`${head}\r\nConnection: close\r\n\r\n`);
  return { text: await wire.ended(), errors, http };
}

/** A stream that gives these, each when the one before it is on its way, and then goes on, fails or ends. */
function streamed(
  pieces: readonly unknown[],
  then: "end" | "fail" | "wait" = "end",
): ReadableStream<Uint8Array> {
  const source = (async function* (): AsyncGenerator {
    for (const piece of pieces) {
      await new Promise(setImmediate);
      yield piece;
    }
    await new Promise(setImmediate);
    if (then === "fail") throw new Error("broken");
    if (then === "wait") await new Promise(() => undefined);
  })();
  return ReadableStream.from(source as AsyncGenerator<Uint8Array>);
}

const a = Buffer.from("a");

describe("a body at hand goes out whole, with its length", () => {
  it.each<[string, () => Response, string]>([
    ["a string", () => new Response("é"), "\xc3\xa9"],
    ["bytes", () => new Response(new Uint8Array([1, 255])), "\x01\xff"],
    ["a form", () => new Response(new URLSearchParams({ a: "b" })), "a=b"],
    ["JSON", () => Response.json({ a: 1 }), '{"a":1}'],
    ["a stream that is full", () => new Response(ReadableStream.from([a])), "a"],
    ["nothing", () => new Response(), ""],
    ["an empty string", () => new Response(""), ""],
  ])("%s", async (_, make, body) => {
    const { text } = await sent(make);
    expect(text).toContain(`\r\nContent-Length: ${body.length}\r\n`);
    expect(text.endsWith(`\r\n\r\n${body}`)).toBe(true);
  });

  it("its own Content-Length is checked", async () => {
    const headers = { "content-length": "3" };
    const { text, errors } = await sent(() => new Response("four", { headers }));
    expect(text).toMatch(/^HTTP\/1.1 500 /);
    expect(errors).toMatchObject([{ code: "length-mismatch" }]);
  });
});

describe("a head", () => {
  it("has status, reason, fields in one spelling, and cookies apart", async () => {
    const headers = new Headers({ "X-One": "1", Connection: "keep-alive, X-One" });
    headers.append("Set-Cookie", "a=1");
    headers.append("Set-Cookie", "b=2, c");
    headers.append("Vary", "a");
    headers.append("Vary", "b");
    const { text } = await sent(() => new Response(null, { status: 418, statusText: "Teapot", headers }));
    expect(text).toMatch(/^HTTP\/1.1 418 Teapot\r\n/);
    expect(text).toContain("\r\nset-cookie: a=1\r\nset-cookie: b=2, c\r\nvary: a, b\r\nx-one: 1\r\n");
    expect(text.match(/content-type|transfer-encoding/i)).toBeNull();
  });

  it("fields of another connection are left out, Connection: close is heard", async () => {
    const headers = {
      "Transfer-Encoding": "chunked",
      "Keep-Alive": "timeout=5",
      Upgrade: "h2c",
      Connection: "Close",
    };
    const { text } = await sent(() => new Response("x", { headers }), "GET / HTTP/1.1\r\nHost: a\r\nX-Y: z");
    expect(text).toMatch(
      /^HTTP\/1.1 200 OK\r\nDate: [^\r]*\r\nContent-Length: 1\r\ncontent-type: [^\r]*\r\nConnection: close\r\n\r\nx$/,
    );
    const upgrade = await sent(() => new Response(null, { status: 426, headers: { Upgrade: "websocket" } }));
    expect(upgrade.text).toContain("\r\nupgrade: websocket\r\n");
  });

  it.each([204, 205, 304])("%i has no content", async (status) => {
    const { text } = await sent(() => new Response(null, { status }));
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*\r\n\r\n$`));
  });

  it("redirects", async () => {
    const { text } = await sent(() => Response.redirect("http://a.test/b", 303));
    expect(text).toMatch(/^HTTP\/1.1 303 See Other\r\n.*\r\nlocation: http:\/\/a.test\/b\r\n/s);
  });

  it("to HEAD: the length that GET would have, as far as it is known, and no content", async () => {
    const head = "HEAD / HTTP/1.1\r\nHost: a";
    expect((await sent(() => new Response("four"), head)).text).toMatch(
      /\r\nContent-Length: 4\r\n[^]*\r\n\r\n$/,
    );
    const cancel = vi.fn<() => void>();
    const open = new ReadableStream({ cancel });
    expect((await sent(() => new Response(open), head)).text).toMatch(/chunked\r\n[^]*\r\n\r\n$/);
    expect(cancel).toHaveBeenCalledOnce();
    expect((await sent(() => new Response(null), head)).text).not.toContain("Content-Length");
  });
});

describe("a stream", () => {
  it("goes out in chunks, or with the length that is given", async () => {
    const body = [a, Buffer.from("bc")];
    expect((await sent(() => new Response(streamed(body)))).text).toMatch(
      /\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n$/,
    );
    const headers = { "Content-Length": "3" };
    expect((await sent(() => new Response(streamed(body), { headers }))).text).toMatch(
      /Length: 3\r\n[^]*\r\n\r\nabc$/,
    );
    expect((await sent(() => new Response(streamed(body)), "GET / HTTP/1.0\r\nHost: a")).text).toMatch(
      /\r\n\r\nabc$/,
    );
  });

  it("its head leaves before its first piece does", async () => {
    const gate = promised<void>();
    const body = new ReadableStream({
      async pull(controller) {
        await gate.promise;
        controller.enqueue(a);
        controller.close();
      },
    });
    await using http = await serveHttp(fetchHandler(() => new Response(body), { replaceResponse: false }));
    await using wire = new Wire(http);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await wire.until("\r\n\r\n");
    gate.resolve();
    expect(await wire.ended()).toMatch(/\r\n\r\n1\r\na\r\n0\r\n\r\n$/);
  });

  it("that fails ends the connection, without the last chunk; before the head it is 500", async () => {
    const late = await sent(() => new Response(streamed([a], "fail")));
    expect(late.text).toMatch(/\r\n\r\n1\r\na\r\n$/);
    expect(late.errors).toMatchObject([{ message: "broken" }]);
    const failed = new ReadableStream({ start: (controller) => controller.error(new Error("at once")) });
    const early = await sent(() => new Response(failed));
    expect(early.text).toMatch(/^HTTP\/1.1 500 /);
    expect(early.errors).toMatchObject([{ message: "at once" }]);
  });

  it("that fails is a reset to HTTP/1.0, where an end of the connection would be the end of the body", async () => {
    const application = (): Response => new Response(streamed([a], "fail"));
    await using http = await serveHttp(fetchHandler(application, { replaceResponse: false }), {
      onError: () => undefined,
    });
    const socket = connect(http.port, "127.0.0.1");
    const failed = once(socket, "end");
    socket.write("GET / HTTP/1.0\r\n\r\n");
    socket.resume();
    await expect(failed).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it("that gives anything but bytes fails", async () => {
    const full = await sent(() => new Response(ReadableStream.from(["text"]) as ReadableStream<never>));
    expect(full.text).toMatch(/^HTTP\/1.1 500 /);
    const slow = await sent(() => new Response(streamed([a, "text"])));
    expect(slow.text).toMatch(/\r\n\r\n1\r\na\r\n$/);
    expect([...full.errors, ...slow.errors]).toMatchObject([{ code: "bad-reply" }, { code: "bad-reply" }]);
  });

  it("is pulled as fast as the client reads, and cancelled when it goes", async () => {
    let pulled = 0;
    const cancelled = promised<void>();
    const piece = Buffer.alloc(1024 * 1024);
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(piece);
      },
      cancel: () => cancelled.resolve(),
    });
    await using http = await serveHttp(fetchHandler(() => new Response(body), { replaceResponse: false }));
    await using wire = new Wire(http);
    await once(wire.socket, "connect");
    wire.socket.pause();
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    // Some megabytes fill the kernel's buffers; then nothing more is asked of it.
    await vi.waitFor(() => expect([...http.connections][0]?.congested).toBe(true));
    const { bytesSent } = [...http.connections][0]!;
    expect(pulled * piece.length).toBeLessThanOrEqual(bytesSent + 3 * piece.length);
    wire.socket.resetAndDestroy();
    await cancelled.promise;
  });

  it("that waits is cancelled too when the client goes", async () => {
    const cancelled = promised<void>();
    const body = new ReadableStream({ cancel: () => cancelled.resolve() });
    await using http = await serveHttp(fetchHandler(() => new Response(body), { replaceResponse: false }));
    await using wire = new Wire(http);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await wire.until("\r\n\r\n");
    wire.socket.resetAndDestroy();
    await cancelled.promise;
  });
});

describe("refused, with 500 and a word to onError", () => {
  const used = async (): Promise<Response> => {
    const response = new Response("x");
    await response.text();
    return response;
  };
  const locked = (): Response => {
    const response = new Response("x");
    response.body!.getReader();
    return response;
  };
  it.each<[string, () => unknown, object]>([
    [
      "nothing",
      () => undefined,
      { code: "bad-reply", message: expect.stringContaining("returns a Response, not undefined") },
    ],
    ["a string", () => "hello", { code: "bad-reply" }],
    [
      "Response.error()",
      () => Response.error(),
      { code: "bad-reply", message: expect.stringContaining("status 0") },
    ],
    [
      "101",
      () => Object.defineProperty(new Response(), "status", { value: 101 }),
      { code: "bad-reply", message: expect.stringContaining("101") },
    ],
    ["a used body", used, { code: "bad-reply", message: expect.stringContaining("used already") }],
    ["a locked body", locked, { name: "TypeError" }],
  ])("%s", async (_, make, error) => {
    const { text, errors } = await sent(make);
    expect(text).toMatch(/^HTTP\/1.1 500 Internal Server Error\r\n/);
    expect(errors).toEqual([expect.objectContaining(error)]);
  });
});

describe("a text response", () => {
  const of = (body: unknown, init?: ResponseInit): Response => TextResponse.of(body, init)!;

  it("has every property that the platform's has, with the same values", async () => {
    const properties = Object.entries(Object.getOwnPropertyDescriptors(NativeResponse.prototype))
      .filter(([, descriptor]) => !("value" in descriptor))
      .map(([name]) => name as keyof Response);
    expect(properties).toContain("redirected");
    for (const init of [undefined, {}, { status: 404 }, { headers: { "content-type": "a/b", x: "y" } }]) {
      const [ours, native] = [of("é", init), new NativeResponse("é", init)];
      expect(ours).toBeInstanceOf(NativeResponse);
      for (const name of properties) {
        if (name === "headers") expect([...ours.headers]).toEqual([...native.headers]);
        else if (name === "body") expect(ours.body).toBeInstanceOf(ReadableStream);
        else expect([name, ours[name]]).toEqual([name, native[name]]);
      }
    }
  });

  it("reads like the platform's, once, and clones", async () => {
    for (const way of ["text", "json", "bytes", "arrayBuffer", "blob"] as const) {
      const [ours, native] = [of('{"a":1}'), new NativeResponse('{"a":1}')];
      expect(await ours[way]()).toEqual(await native[way]());
      expect(ours.bodyUsed).toBe(true);
      await expect(ours[way]()).rejects.toThrow(TypeError);
    }
    const ours = of("x");
    const clone = ours.clone();
    ours.headers.set("a", "b");
    expect([clone.headers.get("a"), await clone.text(), await ours.text()]).toEqual([null, "x", "x"]);
  });

  it("is made for text alone, and for what the platform would take", () => {
    expect(TextResponse.of(null, undefined)).toBeUndefined();
    expect(TextResponse.of(new Uint8Array(), undefined)).toBeUndefined();
    for (const init of [
      { status: 204 },
      { status: 99 },
      { status: 600 },
      { statusText: "x" },
      { status: 200.5 },
    ]) {
      expect(TextResponse.of("x", init)).toBeUndefined();
    }
    expect(() => of("x", { headers: { "a b": "c" } })).toThrow(TypeError);
  });

  it("goes out as it is, or as it was changed", async () => {
    expect((await sent(() => of("é"))).text).toMatch(
      /Content-Length: 2\r\ncontent-type: text\/plain;charset=UTF-8\r\n[^]*\r\n\r\n\xc3\xa9$/,
    );
    const untyped = await sent(() => {
      const response = of("x", { status: 201, headers: { a: "b", "transfer-encoding": "chunked" } });
      response.headers.delete("content-type");
      return response;
    });
    expect(untyped.text).toMatch(
      /^HTTP\/1.1 201 Created\r\nDate: [^\r]*\r\nContent-Length: 1\r\na: b\r\nConnection: close\r\n\r\nx$/,
    );
    const touched = await sent(() => {
      const response = of("x");
      return response.body === null ? undefined : response;
    });
    expect(touched.text).toMatch(/Content-Length: 1\r\n[^]*\r\n\r\nx$/);
    expect(
      (
        await sent(async () => {
          const response = of("x");
          await response.text();
          return response;
        })
      ).errors,
    ).toMatchObject([{ code: "bad-reply" }]);
  });
});

it("unless told otherwise it changes `new Response` of text, and nothing else about Response", () => {
  fetchHandler(() => new Response(), { replaceResponse: false });
  expect(Response).toBe(NativeResponse);
  fetchHandler(() => new Response());
  fetchHandler(() => new Response(), { replaceResponse: true });
  class Own extends Response {
    readonly own = true;
  }
  expect(Response).not.toBe(NativeResponse);
  expect(new Response("x")).toBeInstanceOf(TextResponse);
  expect(new Response("x")).toBeInstanceOf(Response);
  expect(new Response(a)).not.toBeInstanceOf(TextResponse);
  expect(new NativeResponse("x")).toBeInstanceOf(Response);
  expect(new Own("x")).toMatchObject({ own: true, status: 200 });
  expect(new Own("x")).not.toBeInstanceOf(TextResponse);
  expect(Response.json({})).toBeInstanceOf(Response);
  expect(() => new Response("x", { status: 204 })).toThrow(TypeError);
});

// If this fails on a new version of Node, nothing is broken but start-up and memory.
it("leaves Node's own Fetch unloaded where no Fetch application is served", () => {
  const loaded = (code: string): boolean => {
    const index = new URL("../src/index.ts", import.meta.url).href;
    const program = `const http = await import(${JSON.stringify(index)}); ${code};
      process.stdout.write(String(process.moduleLoadList.some((name) => name.includes("undici"))));`;
    return (
      execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }) === "true"
    );
  };
  expect(loaded("http.fetchHandler(() => undefined)")).toBe(true);
  expect(loaded("await (await http.serveHttp(() => 'hello')).close()")).toBe(false);
});
