// The notes API as its clients see it: Node's own fetch (an independent HTTP client) over loopback.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "@tcpkit/core";
import type { Listener } from "@tcpkit/core";
import { serveHttp } from "@tcpkit/http-lite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { notesApp } from "../src/notes.ts";

let server: Listener;
let base: string;

beforeAll(async () => {
  server = await serveHttp(notesApp());
  base = `http://127.0.0.1:${server.port}`;
});

afterAll(() => server.close({ deadline: 0 }));

function post(path: string, body: string, type = "application/json"): Promise<Response> {
  return fetch(base + path, { method: "POST", body, headers: { "content-type": type } });
}

async function answer(response: Response | Promise<Response>): Promise<[status: number, text: string]> {
  const { status, text } = await Promise.resolve(response).then(async (response) => ({
    status: response.status,
    text: await response.text(),
  }));
  return [status, text];
}

describe("a note", () => {
  it("is made, read and removed", async () => {
    const made = await post("/notes", '{"text":"buy milk 牛奶"}');
    const location = made.headers.get("location") ?? "";
    expect(made.status).toBe(201);
    expect(await made.json()).toEqual({ id: Number(location.slice(7)), text: "buy milk 牛奶" });
    expect(await answer(fetch(base + location))).toEqual([200, expect.stringContaining("牛奶")]);
    expect(await answer(fetch(base + location, { method: "HEAD" }))).toEqual([200, ""]);
    expect(await answer(fetch(base + location, { method: "DELETE" }))).toEqual([204, ""]);
    expect(await answer(fetch(base + location))).toEqual([404, "no such note\n"]);
  });

  it.each([
    ["", "application/json", 400],
    ["{", "application/json", 400],
    ["null", "application/json", 400],
    ['{"text":7}', "application/json; charset=utf-8", 400],
    ['{"text":""}', "application/json", 400],
    ['{"text":"x"}', "text/plain", 415],
    [JSON.stringify({ text: "x".repeat(10_001) }), "application/json", 400],
    [" ".repeat((1 << 20) + 1), "application/json", 413],
  ])("is refused as %.20j of %s", async (body, type, status) => {
    expect((await answer(post("/notes", body, type)))[0]).toBe(status);
  });
});

describe("a route", () => {
  it.each([
    ["GET", "/", 200],
    ["GET", "/nowhere", 404],
    ["GET", "/notes/01", 404],
    ["GET", "/notes/__proto__", 404],
    ["DELETE", "/", 405],
    ["PUT", "/notes", 405],
    ["GET", "/notes/import", 405],
  ])("%s %s gives %i", async (method, path, status) => {
    const response = await fetch(base + path, { method });
    await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.has("allow")).toBe(status === 405);
  });
});

describe("many notes", () => {
  it("come in as a stream and go out as a stream, line by line", async () => {
    await using fresh = await serveHttp(notesApp());
    const url = `http://127.0.0.1:${fresh.port}/notes`;
    const texts = Array.from({ length: 2000 }, (_, index) => `note ${index}`);
    const body = texts.map((text) => `${JSON.stringify({ text })}\n`).join("");
    const imported = await fetch(`${url}/import`, { method: "POST", body });
    expect(await imported.json()).toEqual({ imported: 2000 });
    const listed = await fetch(url, { headers: { connection: "close" } });
    const lines = (await listed.text()).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual(texts);
  });

  it("are kept while the import is still under way", async () => {
    await using fresh = await serveHttp(notesApp());
    const client = await connect({ port: fresh.port });
    let heard = "";
    const read = new Promise<void>((resolve) => {
      client.on("data", (chunk) => {
        heard += chunk.toString();
        if (heard.endsWith('{"imported":2}\n')) resolve();
      });
    });
    const [first, second] = ['{"text":"first"}\n', '{"text":"second"}\n'] as const;
    client.write("POST /notes/import HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.write(`${first.length.toString(16)}\r\n${first}\r\n`);
    const url = `http://127.0.0.1:${fresh.port}/notes/1`;
    // The first note arrives by itself: until then it is 404.
    let note = await answer(fetch(url));
    while (note[0] === 404) note = await answer(fetch(url));
    expect(note).toEqual([200, '{"id":1,"text":"first"}\n']);
    client.write(`${second.length.toString(16)}\r\n${second}\r\n0\r\n\r\n`);
    await read;
    client.end();
  });

  it.each([
    ['{"text":"a"}\nnonsense\n', 400, /^line 2: expected/],
    ['{"text":"a"}\n{"text":"b"}', 400, /^line 2 has no line end; the 1 before it are imported/],
    ["x".repeat(70_000), 413, /^no line end within 65536 bytes/],
  ])("are refused where a line is wrong: %.30j", async (body, status, text) => {
    expect(await answer(post("/notes/import", body))).toEqual([status, expect.stringMatching(text)]);
  });

  it("have a bound", async () => {
    await using fresh = await serveHttp(notesApp());
    const body = '{"text":"x"}\n'.repeat(10_001);
    const url = `http://127.0.0.1:${fresh.port}/notes/import`;
    const response = await fetch(url, { method: "POST", body, headers: { connection: "close" } });
    expect(await answer(response)).toEqual([507, "line 10001: there are 10000 notes already\n"]);
  });
});

it("runs by itself, and ends in good order", async () => {
  const file = join(import.meta.dirname, "../src/notes.ts");
  const app = spawn(process.execPath, [file, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [banner] = (await once(createInterface(app.stdout), "line")) as [string];
  expect(banner).toMatch(/^notes listen on http:\/\/127\.0\.0\.1:\d+\/; Ctrl-C stops$/);
  const url = /http:\S+\//.exec(banner)?.[0] ?? "";
  expect(await answer(fetch(url))).toEqual([200, expect.stringContaining("/notes/import")]);
  app.kill("SIGTERM");
  expect(await once(app, "exit")).toEqual([0, null]);
});
