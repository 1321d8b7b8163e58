// End to end with clients that others wrote: curl, node:http and fetch.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request as nodeRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Listener } from "@tcpkit/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { files, serveHttp } from "../src/index.ts";
import { hasTool } from "./tools.ts";

const run = promisify(execFile);
let http: Listener;
let url: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "http-lite-"));
  await writeFile(path.join(folder, "ten.txt"), "0123456789");
  await writeFile(path.join(folder, "big.bin"), Buffer.alloc(3_000_000, "abcdefg"));
  const folderFiles = files(folder, { prefix: "/files/" });
  http = await serveHttp(
    (request) => {
      if (request.path.startsWith("/files/")) return folderFiles(request);
      if (request.method === "POST") return { headers: { "X-Version": request.version }, body: request.body };
      if (request.path === "/stream") {
        return {
          body: (async function* () {
            for (const part of ["one ", "two ", "three"]) yield part;
          })(),
        };
      }
      return `hello ${request.path} ${request.query.get("name") ?? ""}`;
    },
    { port: 0 },
  );
  url = `http://127.0.0.1:${http.port}`;
});

afterAll(async () => {
  await http.close();
  await rm(folder, { recursive: true });
});

/** Runs curl; `-v` output and body apart. */
async function curl(...args: string[]): Promise<{ body: string; log: string }> {
  const { stdout, stderr } = await run("curl", ["-sv", "--max-time", "10", ...args], {
    maxBuffer: 16_000_000,
  });
  return { body: stdout, log: stderr };
}

describe.skipIf(!hasTool("curl"))("curl", () => {
  it("GET, twice on one connection", async () => {
    const { body, log } = await curl(`${url}/a?name=x%20y`, `${url}/b`);
    expect(body).toBe("hello /a x yhello /b ");
    expect(log).toContain("< HTTP/1.1 200 OK");
    expect(log).toMatch(/Re-using existing connection/);
  });

  it("HEAD", async () => {
    const { body, log } = await curl("--head", `${url}/a`);
    expect(body).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(log).not.toMatch(/excess|timed out/i);
  });

  it("POST", async () => {
    expect((await curl("-d", "a=1&b=2", url)).body).toBe("a=1&b=2");
  });

  it("a chunked upload, with Expect: 100-continue", async () => {
    const file = path.join(folder, "big.bin");
    const out = path.join(folder, "echo.bin");
    const args = ["-T", file, "-X", "POST", "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"];
    const { log } = await curl(...args, "-o", out, url);
    expect(log).toContain("< HTTP/1.1 100 Continue");
    expect((await readFile(out)).equals(await readFile(file))).toBe(true);
  });

  it("HTTP/1.0, once kept and once not", async () => {
    const plain = await curl("--http1.0", `${url}/stream`);
    expect(plain.body).toBe("one two three");
    expect(plain.log).toContain("< Connection: close");
    const kept = await curl("--http1.0", "-H", "Connection: keep-alive", `${url}/a`, `${url}/b`);
    expect(kept.body).toBe("hello /a hello /b ");
    expect(kept.log).toContain("< Connection: keep-alive");
    expect(kept.log).toMatch(/Re-using existing connection/);
  });

  it("a part of a file, and the rest of a broken download", async () => {
    expect((await curl("-r", "2-4", `${url}/files/ten.txt`)).body).toBe("234");
    const out = path.join(folder, "resumed.bin");
    await writeFile(out, Buffer.alloc(1_000_000, "abcdefg"));
    await curl("-C", "-", "-o", out, `${url}/files/big.bin`);
    expect((await readFile(out)).equals(await readFile(path.join(folder, "big.bin")))).toBe(true);
  });

  it("never gets out of the folder", async () => {
    const { log } = await curl("--path-as-is", `${url}/files/../../../../etc/passwd`);
    expect(log).toContain("< HTTP/1.1 404 Not Found");
  });
});

describe("node:http", () => {
  it("keeps the connection, and streams both ways", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (body: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const request = nodeRequest(url, { method: "POST", agent }, (reply: IncomingMessage) => {
          let text = "";
          reply.setEncoding("utf8").on("data", (part: string) => (text += part));
          reply.on("end", () => resolve(text));
        });
        request.on("error", reject);
        request.write(body);
        request.end("!");
      });
    expect(await send("grüße")).toBe("grüße!");
    expect(await send("x".repeat(200_000))).toHaveLength(200_001);
    expect(http.connections.size).toBeLessThanOrEqual(1);
    agent.destroy();
  });
});

describe("fetch", () => {
  it("GET, POST and a file", async () => {
    expect(await (await fetch(`${url}/a`)).text()).toBe("hello /a ");
    const reply = await fetch(url, {
      method: "POST",
      body: "grüße",
      headers: { "Content-Type": "text/plain" },
    });
    expect(await reply.text()).toBe("grüße");
    const file = await fetch(`${url}/files/big.bin`);
    expect(file.headers.get("content-length")).toBe("3000000");
    expect((await file.arrayBuffer()).byteLength).toBe(3_000_000);
  });

  it("a streamed upload", async () => {
    const parts = ["one ", "two ", "three"];
    const body = new ReadableStream({
      pull(controller) {
        const part = parts.shift();
        if (part === undefined) controller.close();
        else controller.enqueue(Buffer.from(part));
      },
    });
    const reply = await fetch(url, { method: "POST", body, duplex: "half" });
    expect(await reply.text()).toBe("one two three");
  });
});
