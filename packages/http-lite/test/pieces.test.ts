// Replies whose body is an iterable that is not asynchronous: a generator, an array.
import type { Connection } from "@tcpkit/core";
import { describe, expect, it, vi } from "vitest";
import { serveHttp } from "../src/index.ts";
import type { HttpHandler, HttpResponse, HttpServerOptions } from "../src/index.ts";
import { promised, Wire } from "./wire.ts";

const serve = (handler: HttpHandler, options: HttpServerOptions = {}): ReturnType<typeof serveHttp> =>
  serveHttp(handler, { onError: () => undefined, ...options });

const CLOSE = "Host: a\r\nConnection: close\r\n\r\n";

async function get(handler: HttpHandler, method = "GET"): Promise<string> {
  await using http = await serve(handler);
  await using wire = new Wire(http);
  wire.send(`${method} / HTTP/1.1\r\n${CLOSE}`);
  return await wire.ended();
}

function* words(): Generator<string | Uint8Array> {
  yield "one ";
  yield Buffer.from("two ");
  yield "";
  yield "dréi";
}

describe("a body of pieces at hand", () => {
  it.each<[string, HttpResponse["body"], string]>([
    ["a generator", words(), "4\r\none \r\n4\r\ntwo \r\n5\r\ndr\xc3\xa9i\r\n0\r\n\r\n"],
    ["an array", ["a", Uint8Array.of(98, 99)], "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"],
    ["an empty array", [], "0\r\n\r\n"],
    ["a set", new Set(["a", "b"]), "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"],
  ])("leaves in chunks: %s", async (_name, body, content) => {
    const text = await get(() => ({ body }));
    expect(text).toContain("Transfer-Encoding: chunked");
    expect(text.slice(text.indexOf("\r\n\r\n") + 4)).toBe(content);
  });

  it("leaves as it is where its length is declared", async () => {
    const text = await get(() => ({ headers: { "Content-Length": 13 }, body: words() }));
    expect(text).not.toContain("chunked");
    expect(text).toMatch(/\r\n\r\none two dr\xc3\xa9i$/);
  });

  it("may have trailers, asked for at its end", async () => {
    let sum = 0;
    const text = await get(() => ({
      body: (function* () {
        for (const piece of ["a", "bb"]) {
          sum += piece.length;
          yield piece;
        }
      })(),
      trailers: () => ({ "X-Sum": String(sum) }),
    }));
    expect(text).toMatch(/\r\n0\r\nX-Sum: 3\r\n\r\n$/);
  });

  it.each([
    ["a string", "text"],
    ["a Buffer", Buffer.from("text")],
    ["a Uint8Array", new Uint8Array(Buffer.from("text"))],
  ])("is not %s, which is a whole body", async (_name, body) => {
    const text = await get(() => ({ body }));
    expect(text).toContain("Content-Length: 4\r\n");
    expect(text).toMatch(/\r\n\r\ntext$/);
  });

  it("is not made for HEAD, and told so", async () => {
    const ended = vi.fn<() => IteratorResult<string>>(() => ({ done: true, value: undefined }));
    const next = vi.fn<() => IteratorResult<string>>(() => ({ done: false, value: "x" }));
    const body = { [Symbol.iterator]: () => ({ next, return: ended }) };
    expect(await get(() => ({ body }), "HEAD")).toMatch(/^HTTP\/1.1 200 OK.*chunked.*\r\n\r\n$/s);
    expect(next).not.toHaveBeenCalled();
    expect(ended).toHaveBeenCalledOnce();
  });
});

describe("a body of pieces that fails", () => {
  const failing = (...pieces: string[]): HttpResponse => ({
    body: (function* () {
      yield* pieces;
      throw new Error("secret");
    })(),
  });

  it("is answered 500 before its first piece", async () => {
    const text = await get(() => failing());
    expect(text).toMatch(/^HTTP\/1.1 500 /);
    expect(text).not.toContain("secret");
  });

  it("cuts the connection after that: no end is faked", async () => {
    expect(await get(() => failing("part"))).not.toContain("\r\n0\r\n");
  });

  it("does so where a piece is neither text nor bytes", async () => {
    const onError = vi.fn<(error: unknown) => void>();
    // As a program without types may return it.
    await using http = await serve(() => ({ body: new URLSearchParams("a=b") as unknown as string[] }), {
      onError,
    });
    await using wire = new Wire(http);
    wire.send(`GET / HTTP/1.1\r\n${CLOSE}`);
    expect(await wire.ended()).not.toContain("\r\n0\r\n");
    expect(onError).toHaveBeenCalledWith(
      expect.objectContaining({ code: "bad-reply", message: expect.stringContaining("Uint8Array") }),
      expect.anything(),
    );
  });
});

describe("an endless generator", () => {
  /** Counts what it makes, and tells when it is left. */
  function endless(size: number): { body: Generator<Uint8Array>; made: () => number; left: Promise<void> } {
    const left = promised<void>();
    const piece = Buffer.alloc(size, "x");
    let made = 0;
    const body = (function* (): Generator<Uint8Array> {
      try {
        for (;;) {
          made += size;
          yield piece;
        }
      } finally {
        left.resolve();
      }
    })();
    return { body, made: () => made, left: left.promise };
  }

  /** One that is asynchronous, and never waits for anything all the same. */
  async function* asynchronous(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }

  it.each([
    ["small pieces", 100, false],
    ["large pieces", 65_536, false],
    ["small pieces, asynchronous", 100, true],
    ["large pieces, asynchronous", 65_536, true],
  ])("waits for a slow reader, and is left when that goes: %s", async (_name, size, isAsynchronous) => {
    const { body, made, left } = endless(size);
    await using http = await serve(() => ({ body: isAsynchronous ? asynchronous(body) : body }));
    await using wire = new Wire(http);
    wire.socket.pause();
    wire.send(`GET / HTTP/1.1\r\n${CLOSE}`);
    let before = -1;
    await vi.waitFor(() => {
      const settled = made() > 0 && made() === before;
      before = made();
      expect(settled).toBe(true);
    }, 10_000);
    expect(made()).toBeLessThan(32 * 1024 * 1024);
    wire.socket.destroy();
    await left;
  });

  it("lets others have their turn after 64 pieces", async () => {
    const { body, made } = endless(10);
    const first = promised<number>();
    await using http = await serve(() => {
      setImmediate(() => first.resolve(made()));
      return { body };
    });
    await using wire = new Wire(http);
    wire.send(`GET / HTTP/1.1\r\n${CLOSE}`);
    expect(await first.promise).toBeLessThanOrEqual(650);
  });

  it("is left when its connection is cut, though it never waits for anything else", async () => {
    const { body, left } = endless(65_536);
    await using http = await serve(() => ({ body }));
    const connections: Connection[] = [];
    http.on("connection", (connection) => connections.push(connection));
    await using wire = new Wire(http);
    wire.send(`GET / HTTP/1.1\r\n${CLOSE}`);
    await wire.until("200 OK");
    for (const connection of connections) connection.destroy();
    await left;
  });
});
