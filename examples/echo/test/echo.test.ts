// Echo from end to end: the client against the server, in this process and as two of their own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { listen } from "@tcpkit/core";
import { serveEcho } from "@tcpkit/echo";
import { expect, it } from "vitest";
import { echoThrough } from "../src/client.ts";

const SRC = join(import.meta.dirname, "../src");

it("brings back every byte, in order, though neither side ever holds more than a buffer's worth", async () => {
  await using server = await serveEcho();
  const sent = Buffer.alloc(
    8 << 20,
    Uint8Array.from({ length: 251 }, (_, index) => index),
  );
  const output = new PassThrough();
  const received = buffer(output);
  await echoThrough(Readable.from(pieces(sent, 40_000)), output, { port: server.port });
  output.end();
  expect((await received).equals(sent)).toBe(true);
});

it("says so when the server goes before everything has come back", async () => {
  await using server = await listen();
  server.on("connection", (connection) => connection.on("data", () => connection.reset()));
  const input = new PassThrough();
  input.write("lost");
  await expect(echoThrough(input, new PassThrough(), { port: server.port })).rejects.toThrow("(reset)");
  expect(input.destroyed).toBe(true);
});

it("runs as two programs, and both end in good order", async () => {
  const server = spawn(process.execPath, [join(SRC, "server.ts"), "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [banner] = (await once(createInterface(server.stdout), "line")) as [string];
  expect(banner).toMatch(/^echo listens on 127\.0\.0\.1:\d+; Ctrl-C stops$/);
  const port = /:(\d+);/.exec(banner)?.[1] ?? "";

  const client = spawn(process.execPath, [join(SRC, "client.ts"), port], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(client, "exit");
  client.stdin.end("hello\n你好\n");
  expect(await text(client.stdout)).toBe("hello\n你好\n");
  expect(await exited).toEqual([0, null]);

  server.kill("SIGINT");
  expect(await once(server, "exit")).toEqual([0, null]);
});

it("exits with 1 and one sentence when nobody listens", async () => {
  const server = await listen();
  await server.close();
  const client = spawn(process.execPath, [join(SRC, "client.ts"), String(server.port)]);
  const exited = once(client, "exit");
  expect(await text(client.stderr)).toBe(`nobody listens on 127.0.0.1:${server.port}\n`);
  expect(await exited).toEqual([1, null]);
});

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
