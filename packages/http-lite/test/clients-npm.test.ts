// End to end with clients from npm: undici, and got.
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Agent } from "node:http";
import got from "got";
import { Pool, request } from "undici";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { large, serveClients } from "./served.ts";
import type { Served } from "./served.ts";

let served: Served;

beforeAll(async () => {
  served = await serveClients();
});
beforeEach(() => served.opened());
afterAll(() => served[Symbol.asyncDispose]());

describe("undici", () => {
  it("GET, POST, chunks both ways, and a large body", async () => {
    const hello = await request(`${served.url}/a?name=x%20y`);
    expect(hello.statusCode).toBe(200);
    expect(await hello.body.text()).toBe("hello /a x y");
    const post = await request(served.url, { method: "POST", body: "grüße" });
    expect(post.headers["x-framing"]).toBe("length 7");
    expect(await post.body.text()).toBe("grüße");
    const upload = await request(served.url, { method: "POST", body: Readable.from(halves()) });
    expect(upload.headers["x-framing"]).toBe("chunked");
    expect(large.equals(Buffer.from(await upload.body.bytes()))).toBe(true);
    const download = await request(`${served.url}/large`);
    expect(download.headers["content-length"]).toBe("3000000");
    expect(large.equals(Buffer.from(await download.body.bytes()))).toBe(true);
    expect(await (await request(`${served.url}/stream`)).body.text()).toBe("one two three");
    expect((await request(`${served.url}/a`, { method: "HEAD" })).headers["content-length"]).toBe("9");
  });

  it("a pool that pipelines: replies come in order, on one connection", async () => {
    const pool = new Pool(served.url, { connections: 1, pipelining: 10 });
    const texts = Array.from({ length: 100 }, async (_, index) => {
      const body = index % 10 === 5 ? large.subarray(0, 100_000) : null;
      const reply = await pool.request({ method: body === null ? "GET" : "PUT", path: `/${index}`, body });
      const bytes = await reply.body.bytes();
      return body === null ? Buffer.from(bytes).toString() : body.equals(Buffer.from(bytes));
    });
    const expected = Array.from({ length: 100 }, (_, index) =>
      index % 10 === 5 ? true : `hello /${index} `,
    );
    expect(await Promise.all(texts)).toEqual(expected);
    await pool.close();
    expect(served.opened()).toBe(1);
  });
});

describe("got", () => {
  it("GET, POST, chunks both ways, and a large body, on one connection", async () => {
    const http = new Agent({ keepAlive: true, maxSockets: 1 });
    const client = got.extend({ prefixUrl: served.url, agent: { http }, retry: { limit: 0 } });
    expect(await client("a", { searchParams: { name: "x y" } }).text()).toBe("hello /a x y");
    const posted = await client.post("", { json: { a: "ü" } });
    expect(posted.headers).toMatchObject({ "content-type": "application/json", "x-framing": "length 10" });
    expect(JSON.parse(posted.body)).toEqual({ a: "ü" });
    const upload = await buffer(Readable.from(halves()).pipe(client.stream.post("")));
    expect(upload.equals(large)).toBe(true);
    expect(large.equals(await client("large").buffer())).toBe(true);
    expect(await client("stream").text()).toBe("one two three");
    expect((await client.head("a")).headers["content-length"]).toBe("9");
    expect(served.opened()).toBe(1);
    http.destroy();
  });
});

function* halves(): Generator<Buffer> {
  yield large.subarray(0, 1_500_000);
  yield large.subarray(1_500_000);
}
