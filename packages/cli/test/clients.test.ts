// Real clients against all services at once: what people will type first.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServiceName } from "../src/commands.ts";
import { Cli, runTool } from "./support/cli.ts";
import type { ReadyService } from "./support/cli.ts";
import { hasTool } from "./support/tools.ts";

let cli: Cli;
let services: Readonly<Record<ServiceName, ReadyService>>;

beforeAll(async () => {
  cli = new Cli(["start", "--port", "0", "--json"]);
  services = await cli.ready();
});

afterAll(async () => {
  // Every service came through all of it in good order.
  cli.kill("SIGTERM");
  expect(await cli.exited).toEqual({ code: 0, signal: null });
  expect(cli.stderr).toBe("");
  for (const line of cli.lines) expect(JSON.parse(line)).toHaveProperty("event");
});

/** Bytes that no text codec leaves alone. */
function allBytes(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_byte, index) => (index * 7 + (index >> 8)) & 0xff));
}

describe.skipIf(!hasTool("nc"))("nc", () => {
  it("has its bytes back, all of them, after a half-close", async () => {
    const input = allBytes(1_000_000);
    const { stdout, code } = await runTool("nc", ["-N", "127.0.0.1", String(services.echo.port)], input);
    expect(code).toBe(0);
    expect(stdout.equals(input)).toBe(true);
  });

  it("speaks HTTP by hand", async () => {
    const request = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const { stdout } = await runTool("nc", ["-N", "127.0.0.1", String(services.http.port)], request);
    expect(stdout.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nHello, World!$/s);
  });

  it("speaks SMTP by hand", async () => {
    const dialogue = "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nQUIT\r\n";
    // This server refuses whoever speaks first; nc does, so that is what is seen.
    const { stdout } = await runTool("nc", ["-N", "127.0.0.1", String(services.smtp.port)], dialogue);
    expect(stdout.toString()).toMatch(/^(220|554) /);
  });
});

describe.skipIf(!hasTool("curl"))("curl", () => {
  const curl = async (...args: string[]): Promise<{ code: number | null; stdout: Buffer; stderr: string }> =>
    runTool("curl", ["-sS", "--max-time", "50", ...args]);
  const at = (path: string): string => new URL(path, services.http.url).href;

  it("GET /hello, and the connection is kept", async () => {
    const { stdout, stderr } = await curl("-v", at("/hello"), at("/hello"));
    expect(stdout.toString()).toBe("Hello, World!Hello, World!");
    expect(stderr).toContain("< HTTP/1.1 200 OK");
    expect(stderr).toMatch(/< Content-Type: text\/plain/i);
    expect(stderr).toContain("Re-using existing connection");
  });

  it.each(["/", "/echo"])("POST %s gives the body back with its type", async (path) => {
    const { stdout } = await curl(
      "-i",
      "-H",
      "Content-Type: text/x-odd",
      "--data-binary",
      "a=1&b=\u00e9",
      at(path),
    );
    expect(stdout.toString()).toMatch(
      /^HTTP\/1\.1 200 OK\r\n.*Content-Type: text\/x-odd\r\n.*\r\n\r\na=1&b=é$/s,
    );
  });

  it.each([
    ["with a length, after 100 Continue", ["-H", "Expect: 100-continue"]],
    ["in chunks", ["-H", "Transfer-Encoding: chunked"]],
  ])("POST /echo streams a large body %s", async (_name, more) => {
    const input = allBytes(8_000_000);
    const args = ["-sS", "--max-time", "50", "-X", "POST", "-T", "-", ...more];
    const { stdout, code, stderr } = await runTool("curl", [...args, at("/echo")], input);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.equals(input)).toBe(true);
  });

  it("GET /headers shows the field lines as received: order, case and repetition", async () => {
    const { stdout } = await curl("-H", "X-oDD: 1", "-H", "Accept:", "-H", "x-odd:  2 ", at("/headers"));
    expect(stdout.toString().split("\r\n")).toEqual([
      `Host: 127.0.0.1:${services.http.port}`,
      expect.stringMatching(/^User-Agent: curl/),
      "X-oDD: 1",
      "x-odd: 2",
      "",
    ]);
  });

  it("GET /stream is chunked, one line a chunk", async () => {
    const { stdout } = await curl("-i", "--raw", at("/stream?n=3"));
    const [head, body] = stdout
      .toString()
      .split("\r\n\r\n", 1)
      .concat(stdout.toString().replace(/^.*?\r\n\r\n/s, ""));
    expect(head).toContain("Transfer-Encoding: chunked");
    expect(head).not.toContain("Content-Length");
    expect(body).toBe("d\r\nchunk 1 of 3\n\r\nd\r\nchunk 2 of 3\n\r\nd\r\nchunk 3 of 3\n\r\n0\r\n\r\n");
  });

  it("GET /bytes gives exactly so many bytes", async () => {
    const { stdout } = await curl(at("/bytes?n=1000000"));
    expect(
      stdout.equals(Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_byte, index) => index % 251))),
    ).toBe(true);
    expect((await curl(at("/bytes?n=0"))).stdout).toHaveLength(0);
  });

  it.each(["/bytes?n=-1", "/bytes?n=", "/bytes?n=1e3", "/bytes?n=99999999999999999999", "/stream?n=x"])(
    "GET %s is a bad request",
    async (path) => {
      const { stdout } = await curl("-i", at(path));
      expect(stdout.toString()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n.*n must be a whole number/s);
    },
  );

  it("HEAD has the fields of GET and no content", async () => {
    const { stdout } = await curl("-I", at("/bytes?n=5000000000"), at("/hello"));
    expect(stdout.toString()).toMatch(/Content-Length: 5000000000\r\n.*Content-Length: 13\r\n/s);
    expect(stdout.toString().endsWith("\r\n\r\n")).toBe(true);
  });

  it("OPTIONS and 405 say what is allowed, 404 where to look", async () => {
    expect((await curl("-i", "-X", "OPTIONS", at("/hello"))).stdout.toString()).toMatch(
      /^HTTP\/1\.1 204 .*Allow: GET, HEAD, OPTIONS\r\n/s,
    );
    expect((await curl("-i", "-X", "OPTIONS", "--request-target", "*", at("/"))).stdout.toString()).toMatch(
      /^HTTP\/1\.1 204 .*Allow: GET, HEAD, POST, OPTIONS\r\n/s,
    );
    expect((await curl("-i", "-X", "DELETE", at("/hello"))).stdout.toString()).toMatch(
      /^HTTP\/1\.1 405 .*Allow: GET, HEAD, OPTIONS\r\n.*takes GET, HEAD, OPTIONS, not DELETE/s,
    );
    expect((await curl("-i", at("/echo"))).stdout.toString()).toMatch(
      /^HTTP\/1\.1 405 .*Allow: POST, OPTIONS\r\n/s,
    );
    expect((await curl("-i", at("/nowhere"))).stdout.toString()).toMatch(
      /^HTTP\/1\.1 404 .*there is nothing at \/nowhere/s,
    );
    // No DIR was given.
    expect((await curl("-i", at("/files/"))).stdout.toString()).toMatch(/^HTTP\/1\.1 404 /);
  });

  it("GET / is a page, GET /healthz is well", async () => {
    const { stdout } = await curl("-i", at("/"));
    expect(stdout.toString()).toMatch(
      /^HTTP\/1\.1 200 OK\r\n.*Content-Type: text\/html.*<!doctype html>.*\/hello/s,
    );
    expect((await curl(at("/healthz"))).stdout.toString()).toBe("ok\n");
  });

  it("sends mail too", async () => {
    const args = ["--mail-from", "curl@a.example", "--mail-rcpt", "you@b.example", "-T", "-"];
    const mail = "Subject: by curl\r\n\r\n.dots\r\n..more\r\n";
    const { code, stderr } = await runTool("curl", ["-sS", services.smtp.url, ...args], mail);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await cli.event("message")).toMatchObject({
      from: "curl@a.example",
      subject: "by curl",
      size: mail.length,
    });
  });
});

describe("mail", () => {
  it.skipIf(!hasTool("swaks"))("by swaks", async () => {
    const server = ["--server", "127.0.0.1", "--port", String(services.smtp.port)];
    const envelope = ["--from", "me@a.example", "--to", "one@b.example,two@b.example"];
    const { code } = await runTool("swaks", [...server, ...envelope, "--header", "Subject: by swaks"]);
    expect(code).toBe(0);
    expect(await cli.event("message")).toMatchObject({
      event: "message",
      service: "smtp",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      from: "me@a.example",
      to: ["one@b.example", "two@b.example"],
      subject: "by swaks",
    });
  });

  it.skipIf(!hasTool("python3"))(
    "by Python's smtplib, several on one connection, one with a hostile subject",
    async () => {
      const script = `
import smtplib, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as smtp:
    for n in range(3):
        smtp.sendmail("py@a.example", ["you@b.example"], f"Subject: {n}\\x1b[31m\\x07\\r\\n\\r\\nbody {n}\\r\\n")
`;
      const { code, stderr } = await runTool("python3", ["-c", script, String(services.smtp.port)]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const number of [0, 1, 2]) {
        expect(await cli.event("message")).toMatchObject({ from: "py@a.example", subject: `${number}[31m` });
      }
    },
  );

  it("by nodemailer, with a subject in Chinese and an attachment", async () => {
    const transport = createTransport({ host: "127.0.0.1", port: services.smtp.port });
    const sent = await transport.sendMail({
      from: "me@a.example",
      to: "you@b.example",
      subject: "你好",
      text: "hello",
      attachments: [{ filename: "a.bin", content: allBytes(300_000) }],
    });
    expect(sent.accepted).toEqual(["you@b.example"]);
    transport.close();
    const event = await cli.event("message");
    expect(event).toMatchObject({ subject: "你好", to: ["you@b.example"] });
    expect(event["size"]).toBeGreaterThan(400_000);
  });
});

it("a person sees one line for each mail, on standard output", async () => {
  await using server = new Cli(["smtp", "--port", "0", "--lang", "zh-CN"]);
  await server.said("Ctrl-C");
  const port = Number(/smtp:\/\/127\.0\.0\.1:(\d+)/.exec(server.stderr)?.[1]);
  const transport = createTransport({ host: "127.0.0.1", port });
  for (const subject of ["one\u001b[2J", ""]) {
    await transport.sendMail({ from: "", to: ["you@b.example", "me@b.example"], subject, text: "hello" });
  }
  transport.close();
  const shown = String.raw`^\d{4}-\d\d-\d\dT[\d:.]+Z  发件人 <>  收件人 you@b\.example, me@b\.example  \d+ 字节  `;
  expect(await server.line()).toMatch(new RegExp(`${shown}one\\[2J$`));
  expect(await server.line()).toMatch(new RegExp(`${shown}（无主题）$`));
});

describe("smtp --data DIR", () => {
  it.skipIf(!hasTool("python3"))("the .eml is there, whole, when the 250 arrives", async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "tcpkit-cli-")), "made", "here");
    await using server = new Cli(["smtp", "--port", "0", "--json", "--data", folder]);
    const { smtp } = await server.ready();
    // The client looks into the folder the moment it has the 250.
    const script = `
import os, smtplib, sys
folder = sys.argv[2]
with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as smtp:
    for n in range(5):
        smtp.sendmail("py@a.example", ["you@b.example"], f"Subject: {n}\\r\\n\\r\\nbody {n}\\r\\n.dot\\r\\n")
        found = [name for name in os.listdir(folder) if name.endswith(".eml")]
        assert len(found) == n + 1, found
        assert any(f"body {n}\\r\\n.dot\\r\\n".encode() in open(os.path.join(folder, name), "rb").read() for name in found)
`;
    const { code, stderr } = await runTool("python3", ["-c", script, String(smtp.port), folder]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const event = await server.event("message");
    const file = String(event["file"]);
    const mail = await readFile(file, "latin1");
    expect(mail).toMatch(/^Return-Path: <py@a\.example>\r\nReceived: from .*\r\n\r\nbody 0\r\n\.dot\r\n$/s);
    // Nothing half-made is left.
    expect((await readdir(folder)).filter((name) => !name.endsWith(".eml"))).toEqual([]);
    await rm(folder, { recursive: true });
  });

  it("a folder that has gone is a 451 for the client, and a word for the owner", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tcpkit-cli-"));
    await using server = new Cli(["smtp", "--port", "0", "--json", "--data", folder]);
    const { smtp } = await server.ready();
    await rm(folder, { recursive: true });
    const transport = createTransport({ host: "127.0.0.1", port: smtp.port });
    const sending = transport.sendMail({ from: "me@a.example", to: "you@b.example", text: "hello" });
    await expect(sending).rejects.toMatchObject({ responseCode: 451 });
    transport.close();
    expect(await server.event("failed")).toEqual({ event: "failed", service: "smtp", reason: "ENOENT" });
  });
});
