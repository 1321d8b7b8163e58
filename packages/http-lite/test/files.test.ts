// Files of one folder: what is served, how much of it, and what never is.
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Listener } from "@tcpkit/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { files, request, serveHttp } from "../src/index.ts";
import type { HttpClientResponse } from "../src/index.ts";

let folder: string;
let http: Listener;
const big = Buffer.alloc(300_000, "0123456789");

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "http-lite-"));
  const root = path.join(folder, "public");
  await mkdir(path.join(root, "sub", ".hidden"), { recursive: true });
  await writeFile(path.join(folder, "secret.txt"), "secret");
  await writeFile(path.join(root, "hello.txt"), "0123456789");
  await writeFile(path.join(root, "big.bin"), big);
  await writeFile(path.join(root, "empty.css"), "");
  await writeFile(path.join(root, "ä b.html"), "<p>");
  await writeFile(path.join(root, ".env"), "secret");
  await writeFile(path.join(root, "sub", "index.html"), "<h1>sub</h1>");
  await writeFile(path.join(root, "sub", ".hidden", "x.txt"), "secret");
  await symlink("../secret.txt", path.join(root, "link-out.txt"));
  await symlink("..", path.join(root, "folder-out"));
  await symlink("hello.txt", path.join(root, "link-in.txt"));
  await symlink("sub/.hidden/x.txt", path.join(root, "link-hidden.txt"));
  http = await serveHttp(files(root, { prefix: "/files/" }), { port: 0 });
});

afterAll(async () => {
  await http.close();
  await rm(folder, { recursive: true });
});

function get(
  name: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<HttpClientResponse> {
  return request({ port: http.port, path: `/files/${name}`, headers, method });
}

describe("what is served", () => {
  it.each([
    ["hello.txt", "text/plain; charset=utf-8", "0123456789"],
    ["empty.css", "text/css; charset=utf-8", ""],
    ["%C3%A4%20b.html", "text/html; charset=utf-8", "<p>"],
    ["sub/", "text/html; charset=utf-8", "<h1>sub</h1>"],
    ["link-in.txt", "text/plain; charset=utf-8", "0123456789"],
    ["hello.txt?query", "text/plain; charset=utf-8", "0123456789"],
  ])("%s", async (name, type, content) => {
    const reply = await get(name);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toBe(type);
    expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await reply.text()).toBe(content);
  });

  it("a large file, whole", async () => {
    const reply = await get("big.bin");
    expect(reply.headers.get("content-length")).toBe("300000");
    expect((await reply.bytes()).equals(big)).toBe(true);
  });

  it("HEAD: the same fields, no content", async () => {
    const reply = await get("big.bin", {}, "HEAD");
    expect(reply.headers.get("content-length")).toBe("300000");
    expect(await reply.text()).toBe("");
  });

  it("a folder without its slash leads to the one with it", async () => {
    const cases: [string, string][] = [
      ["sub", "/files/sub/"],
      ["sub?a=%20b&c=d?e", "/files/sub/?a=%20b&c=d?e"],
    ];
    for (const [name, location] of cases) {
      const reply = await get(name);
      expect([reply.status, reply.headers.get("location")]).toEqual([308, location]);
    }
  });

  it("a file changed in the future, as one changed now (RFC 9110 §8.8.2.1)", async () => {
    const file = path.join(folder, "public", "future.txt");
    await writeFile(file, "");
    const future = new Date(Date.now() + 86_400_000);
    await utimes(file, future, future);
    const { headers } = await get("future.txt");
    const [modified = "", date = ""] = [headers.get("last-modified"), headers.get("date")];
    expect(Date.parse(modified)).toBeLessThanOrEqual(Date.parse(date));
    expect(Date.parse(modified)).toBeGreaterThan(future.getTime() - 86_402_000);
  });

  it("other methods are refused", async () => {
    const reply = await get("hello.txt", {}, "DELETE");
    expect([reply.status, reply.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("what never is", () => {
  it.each([
    "../secret.txt",
    "sub/../../secret.txt",
    "%2e%2e/secret.txt",
    "%2E%2E%2Fsecret.txt",
    "..%2fsecret.txt",
    "..%5csecret.txt",
    "..\\secret.txt",
    "sub%2findex.html",
    "hello.txt%00",
    "hello.txt%00.png",
    "/hello.txt",
    "sub//index.html",
    "./hello.txt",
    "hello.txt/",
    ".env",
    "%2eenv",
    "sub/.hidden/x.txt",
    "link-out.txt",
    "folder-out/secret.txt",
    "link-hidden.txt",
    "missing.txt",
    "%zz",
    "hello.txt::$DATA",
    "a".repeat(300),
  ])("%s", async (name) => {
    const reply = await get(name);
    expect(reply.status).toBe(404);
    expect(await reply.text()).not.toContain("secret\n");
  });

  it.each(["index.html", ""])(
    "a file with a slash behind it, nor a folder without its page: index %j",
    async (index) => {
      await using other = await serveHttp(files(path.join(folder, "public"), { index }), { port: 0 });
      const paths = ["/hello.txt/", "/sub/index.html/", "/link-in.txt/", "/"];
      for (const each of paths) {
        expect([each, (await request({ port: other.port, path: each })).status]).toEqual([each, 404]);
      }
      expect((await request({ port: other.port, path: "/sub/" })).status).toBe(index === "" ? 404 : 200);
    },
  );

  it("a path outside the prefix", async () => {
    expect((await request({ port: http.port, path: "/hello.txt" })).status).toBe(404);
  });
});

describe("ranges (RFC 9110 §14)", () => {
  it.each<[string, number, string, string | undefined]>([
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-30", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=5-99", 206, "56789", "bytes 5-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=4-2", 200, "0123456789", undefined],
    ["bytes=a-b", 200, "0123456789", undefined],
    ["bytes=0-1,3-4", 200, "0123456789", undefined],
    ["lines=0-1", 200, "0123456789", undefined],
  ])("%s", async (range, status, content, contentRange) => {
    const reply = await get("hello.txt", { Range: range });
    expect(reply.status).toBe(status);
    expect(reply.headers.get("content-range")).toBe(contentRange);
    expect(await reply.text()).toBe(content);
  });

  it("a large part is streamed", async () => {
    const reply = await get("big.bin", { Range: "bytes=100000-299998" });
    expect((await reply.bytes()).equals(big.subarray(100_000, 299_999))).toBe(true);
  });

  it("If-Range: the part of the same version, or the whole of another", async () => {
    const { headers } = await get("hello.txt");
    const etag = headers.get("etag") ?? "";
    expect((await get("hello.txt", { Range: "bytes=0-1", "If-Range": etag })).status).toBe(206);
    expect((await get("hello.txt", { Range: "bytes=0-1", "If-Range": '"other"' })).status).toBe(200);
    expect((await get("hello.txt", { Range: "bytes=0-1", "If-Range": `W/${etag}` })).status).toBe(200);
  });

  it("If-Range with a date: the part of that version, unless its second is not over (RFC 9110 §8.8.2.2)", async () => {
    const file = path.join(folder, "public", "dated-part.txt");
    await writeFile(file, "0123456789");
    const ask = async (date: string): Promise<number> =>
      (await get("dated-part.txt", { Range: "bytes=5-9", "If-Range": date })).status;
    await utimes(file, 1_700_000_000.6, 1_700_000_000.6);
    expect(await ask("Tue, 14 Nov 2023 22:13:20 GMT")).toBe(206);
    expect(await ask("Tue, 14 Nov 2023 22:13:21 GMT")).toBe(200);
    // In a second that is not over, it may change again under the same date.
    const future = new Date(Date.now() + 3_600_000);
    await utimes(file, future, future);
    const { headers } = await get("dated-part.txt");
    expect(await ask(headers.get("last-modified") ?? "")).toBe(200);
  });
});

describe("conditions (RFC 9110 §13)", () => {
  it("a date may have one of the obsolete forms", async () => {
    const file = path.join(folder, "public", "dated.txt");
    await writeFile(file, "");
    await utimes(file, 1_700_000_000, 1_700_000_000);
    for (const same of ["Tuesday, 14-Nov-23 22:13:20 GMT", "Tue Nov 14 22:13:20 2023"]) {
      expect([same, (await get("dated.txt", { "If-Modified-Since": same })).status]).toEqual([same, 304]);
      expect([same, (await get("dated.txt", { "If-Unmodified-Since": same })).status]).toEqual([same, 200]);
    }
    for (const past of ["Tuesday, 14-Nov-23 22:13:19 GMT", "Tue Nov 14 22:13:19 2023"]) {
      expect([past, (await get("dated.txt", { "If-Modified-Since": past })).status]).toEqual([past, 200]);
      expect([past, (await get("dated.txt", { "If-Unmodified-Since": past })).status]).toEqual([past, 412]);
    }
  });

  it("by entity tag and by date", async () => {
    const { headers } = await get("hello.txt");
    const etag = headers.get("etag") ?? "";
    const date = headers.get("last-modified") ?? "";
    const past = "Tue, 15 Nov 1994 08:12:31 GMT";
    const cases: [Record<string, string>, number][] = [
      [{ "If-None-Match": etag }, 304],
      [{ "If-None-Match": `"x", W/${etag}` }, 304],
      [{ "If-None-Match": "*" }, 304],
      [{ "If-None-Match": '"x"' }, 200],
      [{ "If-Modified-Since": date }, 304],
      [{ "If-Modified-Since": past }, 200],
      [{ "If-Modified-Since": "nonsense" }, 200],
      [{ "If-None-Match": '"x"', "If-Modified-Since": date }, 200],
      [{ "If-Match": etag }, 200],
      [{ "If-Match": "*" }, 200],
      [{ "If-Match": '"x"' }, 412],
      [{ "If-Match": `W/${etag}` }, 412],
      [{ "If-Unmodified-Since": date }, 200],
      [{ "If-Unmodified-Since": past }, 412],
    ];
    for (const [fields, status] of cases) {
      const reply = await get("hello.txt", fields);
      expect([fields, reply.status]).toEqual([fields, status]);
      expect(reply.headers.get("etag")).toBe(etag);
      reply.discard();
    }
  });
});
