// Clients that misbehave: whatever they do, the server goes on serving everybody else.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createTransport } from "nodemailer";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ServiceName } from "../src/commands.ts";
import { Cli, runTool } from "./support/cli.ts";
import type { ReadyService } from "./support/cli.ts";
import { hasTool } from "./support/tools.ts";

const demos = ["echo", "http", "smtp"] as const;
let cli: Cli;
let services: Readonly<Record<ServiceName, ReadyService>>;

beforeAll(async () => {
  cli = new Cli(["start", "--port", "0", "--json"]);
  services = await cli.ready();
});

afterAll(async () => {
  cli.kill("SIGKILL");
  await cli.exited;
});

/** Every service answers, and nothing was said that a person would take for a crash. */
async function allServe(): Promise<void> {
  const socket = connect(services.echo.port, "127.0.0.1");
  socket.end("are you there?");
  expect(await text(socket)).toBe("are you there?");
  const hello = await fetch(`${services.http.url}hello`);
  expect(await hello.text()).toBe("Hello, World!");
  const transport = createTransport({ host: "127.0.0.1", port: services.smtp.port });
  const sent = await transport.sendMail({ from: "me@a.example", to: "you@b.example", text: "hello" });
  transport.close();
  expect(sent.accepted).toEqual(["you@b.example"]);
  const page = await fetch(services.inspector.url);
  expect(page.status).toBe(200);
  await page.text();
  expect(cli.stderr).toBe("");
}

async function opened(name: ServiceName): Promise<Socket> {
  const socket = connect({ port: services[name].port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

afterEach(allServe);

/** The first bytes of a real TLS 1.2 handshake (RFC 5246 §7.4.1.2). */
const tlsHello = Buffer.concat([
  Buffer.from("16030100610100005d0303", "hex"),
  Buffer.alloc(32, 7),
  Buffer.from("000004c02fc030010000300000000e000c0000096c6f63616c686f7374", "hex"),
]);

describe.each([...demos, "inspector"] as const)("%s goes on after", (name) => {
  const garbage: readonly [what: string, bytes: Buffer][] = [
    ["random bytes", randomBytes(200_000)],
    ["a TLS hello", tlsHello],
    ["NULs", Buffer.alloc(100_000)],
    ["one endless line", Buffer.alloc(1_000_000, "a")],
    ["line ends only", Buffer.alloc(10_000, "\r\n")],
    ["0xff", Buffer.alloc(100_000, 0xff)],
  ];

  it.each(garbage)("%s", async (_what, bytes) => {
    const socket = await opened(name);
    // It may close or reset at any point, or wait for more: an end of ours ends all of these.
    socket.resume();
    socket.end(bytes);
    await once(socket, "close");
  });

  it("a reset", async () => {
    const socket = await opened(name);
    socket.write("GET / HTTP/1.1\r\n");
    socket.resetAndDestroy();
    await once(socket, "close");
  });

  it("a reset while a reply is on its way", async () => {
    const socket = await opened(name);
    socket.write("GET /bytes?n=100000000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await once(socket, "data");
    socket.resetAndDestroy();
    await once(socket, "close");
  });

  it("a client that says nothing", async () => {
    const silent = await opened(name);
    await allServe();
    silent.destroy();
  });

  it("a client that ends before it has said anything", async () => {
    const socket = await opened(name);
    socket.resume();
    socket.end();
    await once(socket, "close");
  });
});

describe("a client that half-closes", () => {
  it.each([
    ["echo", "hello", /^hello$/],
    ["http", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", /Hello, World!$/],
    ["http", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", /\r\n\r\nbody$/],
  ] as const)("%s: has its whole answer", async (name, request, answer) => {
    const socket = await opened(name);
    socket.end(request);
    expect(await text(socket)).toMatch(answer);
  });

  it.skipIf(!hasTool("nc"))("nc -N, with 4 MiB", async () => {
    const input = randomBytes(4 * 1024 * 1024);
    const { stdout } = await runTool("nc", ["-N", "127.0.0.1", String(services.echo.port)], input);
    expect(stdout.equals(input)).toBe(true);
  });
});

describe("1,000 connections at once", () => {
  const requests: Readonly<Record<(typeof demos)[number], readonly [say: string, hear: RegExp]>> = {
    echo: ["hello", /^hello$/],
    http: ["GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", /Hello, World!$/],
    smtp: ["", /^220 .*\r\n$/],
  };

  it.each(demos)("%s: each is served while all are open", async (name) => {
    const [say, hear] = requests[name];
    const sockets = Array.from({ length: 1000 }, () => connect(services[name].port, "127.0.0.1"));
    const answers = await Promise.all(
      sockets.map(async (socket) => {
        // Listened for at once: a server that speaks first may be quicker than we are.
        const data = once(socket, "data");
        socket.write(say);
        const [chunk] = (await data) as [Buffer];
        return chunk.toString();
      }),
    );
    expect(answers.filter((answer) => !hear.test(answer))).toEqual([]);
    for (const socket of sockets) socket.destroy();
  });
});

it("a mail that is cut off leaves nothing behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tcpkit-cli-"));
  await using server = new Cli(["smtp", "--port", "0", "--json", "--data", folder]);
  const { smtp } = await server.ready();
  const socket = connect(smtp.port, "127.0.0.1");
  const say = async (line: string): Promise<void> => {
    socket.write(line);
    await once(socket, "data");
  };
  await once(socket, "data");
  await say("EHLO a.example\r\n");
  await say("MAIL FROM:<me@a.example>\r\n");
  await say("RCPT TO:<you@b.example>\r\n");
  await say("DATA\r\n");
  socket.write("Subject: half\r\n\r\nof a mail\r\n");
  socket.resetAndDestroy();
  await once(socket, "close");
  // The server is done with it once it has ended in good order.
  server.kill("SIGTERM");
  expect((await server.exited).code).toBe(0);
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
});
