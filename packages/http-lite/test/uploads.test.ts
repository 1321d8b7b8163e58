// Bodies on their way to a handler: pieces that are lent, pieces that are kept, and the memory of both.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { serveHttp } from "../src/index.ts";
import type { HttpHandler, HttpRequest, HttpServerOptions } from "../src/index.ts";
import { promised, Wire } from "./wire.ts";

const off = process.env["TCPKIT_FAST_READ"] === "off";
const MiB = 1024 * 1024;

const serve = (handler: HttpHandler, options: HttpServerOptions = {}): ReturnType<typeof serveHttp> =>
  serveHttp(handler, { onError: () => undefined, ...options });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const hash = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("hex");

/** A body in which no two places look alike, nor does another body. */
function bodyOf(seed: number, size: number): Buffer {
  const body = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) body.writeUInt32LE((at + seed * 0x1357_9bdf) >>> 0, at);
  return body;
}

/** Posts a body in pieces, chunked or with its length, and resolves with what comes back. */
async function post(
  listener: { readonly port: number },
  path: string,
  body: Buffer,
  chunk?: number,
): Promise<string> {
  await using wire = new Wire(listener as ConstructorParameters<typeof Wire>[0]);
  const framing = chunk === undefined ? `Content-Length: ${body.length}` : "Transfer-Encoding: chunked";
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nX-Path: ${path}\r\nConnection: close\r\n${framing}\r\n\r\n`;
  const { socket } = wire;
  // Head and body in one write, as most clients do it: one read has both.
  let written: Buffer = Buffer.concat([Buffer.from(head), frame(body.subarray(0, chunk ?? 40_000), chunk)]);
  for (let at = chunk ?? 40_000; ; at += chunk ?? 200_000) {
    if (!socket.write(written)) await once(socket, "drain");
    if (at >= body.length) break;
    written = frame(body.subarray(at, at + (chunk ?? 200_000)), chunk);
  }
  if (chunk !== undefined) socket.write("0\r\n\r\n");
  return await wire.ended();
}

function frame(bytes: Buffer, chunk: number | undefined): Buffer {
  if (chunk === undefined) return bytes;
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

async function kept(request: HttpRequest): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request.body) pieces.push(piece);
  return pieces;
}

describe("memory", () => {
  it("of pieces that are kept, and of heads, stays as it is while other clients' is read into again", async () => {
    const requests = new Map<string, HttpRequest>();
    const bodies = new Map<string, Uint8Array[]>();
    await using http = await serve(async (request) => {
      const { path } = request;
      requests.set(path, request);
      if (path.startsWith("/kept")) {
        bodies.set(path, await kept(request));
        return "kept";
      }
      const sum = createHash("sha1");
      await request.consume((piece) => {
        sum.update(piece);
      });
      return sum.digest("hex");
    });
    const names = ["/kept/1", "/lent/2", "/kept/3", "/lent/4", "/kept/chunked/5", "/lent/chunked/6"];
    const sent = names.map((name, seed) => ({ name, body: bodyOf(seed, 4 * MiB) }));
    const replies = await Promise.all(
      sent.map(({ name, body }) => post(http, name, body, name.includes("chunked") ? 300_000 : undefined)),
    );
    for (const [index, { name, body }] of sent.entries()) {
      const pieces = bodies.get(name);
      if (pieces === undefined) expect(replies[index]).toContain(hash(body));
      else expect(Buffer.concat(pieces).equals(body)).toBe(true);
      // Heads are decoded when they are asked for: now, behind all that was read since.
      const request = requests.get(name);
      expect(request?.target).toBe(name);
      expect(request?.headers.get("x-path")).toBe(name);
    }
  });

  it.skipIf(off)("of pieces that are lent is read into again", async () => {
    let pieces = 0;
    const memory = new Set<ArrayBufferLike>();
    await using http = await serve(async (request) => {
      await request.consume((piece) => {
        if (piece.buffer.byteLength < 65_536) return;
        pieces += 1;
        memory.add(piece.buffer);
      });
      return "done";
    });
    expect(await post(http, "/", bodyOf(0, 8 * MiB))).toContain("done");
    expect(memory.size).toBeLessThan(pieces);
  });

  it("of a piece that is lent stays as it is until the promise is resolved", async () => {
    const changed: string[] = [];
    await using http = await serve(async (request) => {
      const sum = createHash("sha1");
      await request.consume(async (piece) => {
        const before = hash(piece);
        for (let turns = 0; turns < 5; turns += 1) await turn();
        if (hash(piece) !== before) changed.push(request.path);
        sum.update(piece);
      });
      return sum.digest("hex");
    });
    const bodies = Array.from({ length: 4 }, (_, seed) => bodyOf(seed, MiB));
    const replies = await Promise.all(bodies.map((body, index) => post(http, `/${index}`, body)));
    for (const [index, body] of bodies.entries()) expect(replies[index]).toContain(hash(body));
    expect(changed).toEqual([]);
  });
});

describe("consume()", () => {
  it("resolves at once where there is no body", async () => {
    const take = vi.fn<() => void>();
    await using http = await serve(async (request) => {
      await request.consume(take);
      return "none";
    });
    await using wire = new Wire(http);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(await wire.ended()).toContain("none");
    expect(take).not.toHaveBeenCalled();
  });

  it("answers Expect: 100-continue, and not before it is called", async () => {
    const go = promised<void>();
    await using http = await serve(async (request) => {
      await go.promise;
      let text = "";
      await request.consume((piece) => {
        text += Buffer.from(piece).toString();
      });
      return text;
    });
    await using wire = new Wire(http);
    wire.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    );
    await turn();
    expect(wire.text).toBe("");
    go.resolve();
    expect(await wire.until("100 Continue")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("hi");
    expect(await wire.ended()).toMatch(/HTTP\/1.1 200 OK.*hi$/s);
  });

  it("is one of several ways to read once", async () => {
    await using http = await serve(async (request) => {
      await request.consume(() => undefined);
      await expect(request.consume(() => undefined)).rejects.toThrow(/only once/);
      await expect(request.bytes()).rejects.toThrow(/only once/);
      return "once";
    });
    expect(await post(http, "/", Buffer.from("x"))).toContain("once");
  });

  it("fails when the client leaves, once it has back what it lent", async () => {
    const outcome = promised<unknown>();
    const lent = promised<void>();
    const written = promised<void>();
    let writing = false;
    await using http = await serve(async (request) => {
      try {
        await request.consume(async () => {
          writing = true;
          lent.resolve();
          await written.promise;
          writing = false;
        });
      } catch (error) {
        outcome.resolve([error, writing]);
      }
      return "never";
    });
    await using wire = new Wire(http);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    await lent.promise;
    wire.socket.resetAndDestroy();
    await vi.waitFor(() => expect(http.connections.size).toBe(0));
    written.resolve();
    expect(await outcome.promise).toEqual([expect.objectContaining({ code: "incomplete" }), false]);
  });

  it("fails with what the function throws, and the next request is answered", async () => {
    const onError = vi.fn<(error: unknown) => void>();
    await using http = await serve(
      async (request) => {
        await request.consume(() => {
          throw new Error("the disk is full");
        });
        return "never";
      },
      { onError },
    );
    await using wire = new Wire(http);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nhalf");
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(await wire.ended()).toMatch(/^HTTP\/1.1 500 .*HTTP\/1.1 200 .*never$/s);
    expect(onError.mock.calls).toEqual([
      [expect.objectContaining({ message: "the disk is full" }), expect.anything()],
    ]);
  });

  it("holds the client back while the function's promise is pending", async () => {
    const written = promised<void>();
    let taken = 0;
    await using http = await serve(async (request) => {
      await request.consume(async (piece) => {
        taken += piece.length;
        await written.promise;
      });
      return String(taken);
    });
    await using wire = new Wire(http);
    wire.send(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${32 * MiB}\r\n\r\n`);
    wire.socket.write(Buffer.alloc(32 * MiB));
    await vi.waitFor(() => expect(taken).toBeGreaterThan(0));
    for (let turns = 0; turns < 100; turns += 1) await turn();
    expect(taken).toBeLessThanOrEqual(65_536);
    written.resolve();
    expect(await wire.until(String(32 * MiB))).toContain("200 OK");
  });
});

describe("bytes()", () => {
  it.each([
    ["with a length", undefined],
    ["in chunks", 70_000],
    ["in small chunks", 1000],
  ])("has all of a body %s", async (_how, chunk) => {
    await using http = await serve(async (request) => hash(await request.bytes()), {
      limits: { maxBodyBytes: 4 * MiB },
    });
    const bodies = [1, 100, 65_536, 4 * MiB].map((size) => bodyOf(size, size));
    const replies = await Promise.all(bodies.map((body) => post(http, "/", body, chunk)));
    for (const [index, body] of bodies.entries()) expect(replies[index]).toContain(hash(body));
  });

  it("may have exactly as many as are allowed, in chunks too", async () => {
    await using http = await serve(async (request) => String((await request.bytes()).length), {
      limits: { maxBodyBytes: 1000 },
    });
    expect(await post(http, "/", Buffer.alloc(1000), 999)).toMatch(/200 OK.*1000$/s);
    expect(await post(http, "/", Buffer.alloc(1001), 999)).toMatch(/^HTTP\/1.1 413 /);
  });
});
