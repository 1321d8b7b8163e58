// The command line as scripts see it: exit codes, the ready line, signals, and what goes to which stream.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { listen } from "@tcpkit/core";
import type { Listener } from "@tcpkit/core";
import { createTransport } from "nodemailer";
import { describe, expect, it } from "vitest";
import { Cli, mainFile, plainEnvironment, runCli, runTool } from "./support/cli.ts";
import { hasTool } from "./support/tools.ts";

/** Part of a request: a connection that is not idle, and so is waited for. */
async function unfinishedRequest(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  // The first answer proves that the server has the connection; the second request is not whole.
  socket.write("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\n");
  await once(socket, "data");
  return socket;
}

describe("the ready line", () => {
  it("is the first line, in the form that scripts rely on", async () => {
    await using cli = new Cli(["http", "--port", "0", "--json"]);
    const line = await cli.line();
    const port = Number(/:(\d+)\//.exec(line)?.[1]);
    expect(line).toBe(
      `{"event":"ready","services":[{"name":"http","url":"http://127.0.0.1:${port}/","host":"127.0.0.1","port":${port}}]}`,
    );
    const response = await fetch(`http://127.0.0.1:${port}/hello`);
    expect(await response.text()).toBe("Hello, World!");
  });

  it.each([
    ["echo", /^tcp:\/\/127\.0\.0\.1:\d+$/],
    ["smtp", /^smtp:\/\/127\.0\.0\.1:\d+$/],
  ])("%s has a URL of its own kind", async (name, url) => {
    await using cli = new Cli([name, "--port", "0", "--json"]);
    const services = Object.values(await cli.ready());
    expect(services).toHaveLength(1);
    expect(services[0]).toMatchObject({ name, url: expect.stringMatching(url), host: "127.0.0.1" });
  });

  it("under start names all services, each with a port of its own", async () => {
    await using cli = new Cli(["start", "--port", "0", "--json"]);
    const services = Object.values(await cli.ready());
    expect(services.map(({ name }) => name)).toEqual(["echo", "http", "smtp", "inspector"]);
    expect(new Set(services.map(({ port }) => port)).size).toBe(4);
    expect(services.every(({ port }) => port > 0)).toBe(true);
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.stderr).toBe("");
  });

  it("tells the address that is listened on, and a URL that can be reached", async () => {
    await using cli = new Cli(["echo", "--host", "0.0.0.0", "--port", "0", "--json"]);
    const { echo } = await cli.ready();
    expect(echo).toMatchObject({ host: "0.0.0.0", url: `tcp://127.0.0.1:${echo.port}` });
  });

  it("the inspector stays on this machine, whatever the others are opened to", async () => {
    await using cli = new Cli(["start", "--host", "0.0.0.0", "--port", "0", "--json"]);
    const { http, inspector } = await cli.ready();
    expect([http.host, inspector.host]).toEqual(["0.0.0.0", "127.0.0.1"]);
  });

  it("writes IPv6 addresses as URLs and as commands want them", async () => {
    await using cli = new Cli(["start", "--host", "::1", "--port", "0"]);
    await cli.said("Ctrl-C");
    expect(cli.stderr).toMatch(/tcp:\/\/\[::1\]:\d+ +try: nc ::1 \d+\n/);
    expect(cli.stderr).toMatch(/curl -i http:\/\/\[::1\]:\d+\/hello\n/);
  });

  it("the environment sets what flags do not", async () => {
    await using cli = new Cli(["echo", "--json"], { TCPKIT_PORT: "0", TCPKIT_HOST: "127.0.0.2" });
    const { echo } = await cli.ready();
    expect(echo.host).toBe("127.0.0.2");
    expect(echo.port).not.toBe(7007);
  });
});

describe("ports", () => {
  it("one that was asked for and is busy: exit 1, one sentence with the port and a way out", async () => {
    await using taken = await listen();
    const { code, stdout, stderr } = await runCli(["http", "--port", String(taken.port), "--json"]);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toBe(
      `tcpkit: Port ${taken.port} on 127.0.0.1 is in use: stop the program that holds it, or take any free port by --port 0.\n`,
    );
  });

  it("a default one that is busy: the next free one, and it says so", async () => {
    // When some other program has 7007 already, that is as good.
    const taken: Listener | undefined = await listen({ port: 7007 }).catch(() => undefined);
    try {
      await using cli = new Cli(["echo", "--json"]);
      const { echo } = await cli.ready();
      expect(echo.port).toBeGreaterThan(7007);
      expect(await cli.event("port-busy")).toEqual({
        event: "port-busy",
        service: "echo",
        wanted: 7007,
        port: echo.port,
      });
      await using person = new Cli(["echo"]);
      await person.said("Port 7007 is in use, so echo took ");
    } finally {
      await taken?.close();
    }
  });

  it("a host that is not of this machine: exit 1 and one sentence", async () => {
    const { code, stdout, stderr } = await runCli(["echo", "--host", "192.0.2.1", "--port", "0"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe("tcpkit: 192.0.2.1 is not an address of this machine: try --host 127.0.0.1.\n");
  });

  it("under start, one service that cannot listen ends all", async () => {
    const { code, stderr } = await runCli(["start", "--host", "192.0.2.1", "--port", "0"]);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("usage", () => {
  it.each([[[]], [["frobnicate"]], [["echo", "--port", "x"]], [["start", "--port", "80"]]])(
    "%j: exit 2, one sentence and where to look",
    async (args) => {
      const { code, stdout, stderr } = await runCli(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^tcpkit: .+ See: tcpkit --help\n$/);
      expect(stderr.split("\n")).toHaveLength(2);
    },
  );

  it("speaks Chinese when asked to", async () => {
    expect((await runCli(["frobnicate", "--lang", "zh-CN"])).stderr).toContain("没有");
    expect((await runCli(["--help"], { TCPKIT_LANG: "zh-CN" })).stdout).toContain("用法");
  });

  it("--help and --version go to standard output", async () => {
    const help = await runCli(["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("tcpkit COMMAND");
    for (const later of ["imap", "tap", "replay"]) expect(help.stdout).not.toContain(later);
    expect(await runCli(["--version"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
    expect((await runCli(["smtp", "--help"])).stdout).toContain("--data DIR");
  });

  it("a directory that is not there: exit 1 and one sentence", async () => {
    const { code, stderr } = await runCli(["http", "/no/such/place", "--port", "0"]);
    expect(code).toBe(1);
    expect(stderr).toBe("tcpkit: /no/such/place is not a directory that can be read: ENOENT.\n");
  });

  it("a place where mail cannot be kept: exit 1 and one sentence", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tcpkit-cli-"));
    try {
      const file = join(folder, "file");
      await writeFile(file, "");
      await chmod(file, 0o400);
      const { code, stderr } = await runCli(["smtp", "--data", join(file, "mail"), "--port", "0"]);
      expect(code).toBe(1);
      expect(stderr).toBe(`tcpkit: Mail cannot be kept in ${join(file, "mail")}: ENOTDIR.\n`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.skipIf(process.platform !== "linux")("a place where no folder can be made: the same", async () => {
    for (const place of ["/proc/nope", "/proc/nope/deeper"]) {
      const { code, stderr } = await runCli(["smtp", "--data", place, "--port", "0"]);
      expect(code).toBe(1);
      expect(stderr).toBe(`tcpkit: Mail cannot be kept in ${place}: ENOENT.\n`);
    }
  });

  it("folders that are missing are made, those above it too", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tcpkit-cli-"));
    try {
      const data = join(folder, "a", "b", "c");
      for (let times = 0; times < 2; times++) {
        await using cli = new Cli(["smtp", "--data", data, "--port", "0", "--json"]);
        await cli.ready();
      }
      expect((await stat(data)).isDirectory()).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("signals", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "the first %s drains, and the program ends with 0",
    async (signal) => {
      await using cli = new Cli(["http", "--port", "0", "--json"]);
      const { http } = await cli.ready();
      const socket = await unfinishedRequest(http.port);
      cli.kill(signal);
      expect(await cli.event("draining")).toEqual({ event: "draining", signal, grace: 5 });
      // The request in hand gets its answer: the server is on its way out, and says so.
      socket.write("Host: a\r\n\r\n");
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 503 .*\r\nConnection: close\r\n.*draining/s);
      expect(await cli.event("drained")).toEqual({ event: "drained", drained: 1, cut: 0 });
      expect(await cli.exited).toEqual({ code: 0, signal: null });
    },
  );

  it("with --lame-duck, health checks fail while it still serves; a second signal ends that at once", async () => {
    await using cli = new Cli(["http", "--port", "0", "--json", "--lame-duck", "3600"]);
    const { http } = await cli.ready();
    const status = async (path: string): Promise<number> => {
      // A connection of its own each time: new ones are still accepted.
      const response = await fetch(`${http.url}${path}`, { headers: { Connection: "close" } });
      await response.text();
      return response.status;
    };
    expect(await status("healthz")).toBe(200);
    cli.kill("SIGTERM");
    expect(await cli.event("lame-duck")).toEqual({ event: "lame-duck", signal: "SIGTERM", seconds: 3600 });
    expect(await status("healthz")).toBe(503);
    expect(await status("hello")).toBe(200);
    expect(cli.lines.some((line) => line.includes("draining"))).toBe(false);
    cli.kill("SIGINT");
    expect(await cli.exited).toEqual({ code: 130, signal: null });
  });

  it("after --lame-duck it drains", async () => {
    await using cli = new Cli(["http", "--port", "0", "--json", "--lame-duck", "0.1"]);
    await cli.ready();
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    const events = cli.lines.map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toEqual(["ready", "lame-duck", "draining", "drained"]);
  });

  it("idle connections do not hold the program", async () => {
    await using cli = new Cli(["start", "--port", "0", "--json"]);
    const { echo, http, smtp, inspector } = await cli.ready();
    const sockets = [echo, http, smtp, inspector].map(({ port }) => connect(port, "127.0.0.1"));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    sockets[0]?.write("hello");
    sockets[1]?.write("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    sockets[3]?.write("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await Promise.all(sockets.map((socket) => once(socket, "data")));
    const goodbye = text(sockets[2]!);
    for (const socket of sockets) socket.resume();
    cli.kill("SIGTERM");
    expect(await goodbye).toMatch(/421 /);
    expect(await cli.event("drained")).toMatchObject({ drained: 4, cut: 0 });
    expect(await cli.exited).toEqual({ code: 0, signal: null });
  });

  it("an endless stream of events ends by itself when the server drains", async () => {
    await using cli = new Cli(["http", "--port", "0", "--json"]);
    const { http } = await cli.ready();
    const response = await fetch(`${http.url}events`);
    const reader = response.body!.getReader();
    const { value } = (await reader.read()) as { value: Uint8Array };
    expect(Buffer.from(value).toString()).toMatch(/^event: tick\nid: 1\ndata: \{.*\}\n\n$/);
    cli.kill("SIGINT");
    while (!(await reader.read()).done);
    expect(await cli.exited).toEqual({ code: 0, signal: null });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("at the end of --grace with a connection still open, %s gives %i", async (signal, code) => {
    await using cli = new Cli(["http", "--port", "0", "--json", "--grace", "0.2"]);
    const { http } = await cli.ready();
    const socket = await unfinishedRequest(http.port);
    cli.kill(signal);
    expect(await cli.event("drained")).toEqual({ event: "drained", drained: 0, cut: 1 });
    expect(await cli.exited).toEqual({ code, signal: null });
    expect(socket.destroyed || (await once(socket, "close"))).toBeTruthy();
  });

  it.each([
    ["SIGTERM", "SIGINT", 130],
    ["SIGINT", "SIGTERM", 143],
    ["SIGINT", "SIGINT", 130],
  ] as const)("%s and then %s forces: %i", async (first, second, code) => {
    await using cli = new Cli(["http", "--port", "0", "--json", "--grace", "3600"]);
    const { http } = await cli.ready();
    await unfinishedRequest(http.port);
    cli.kill(first);
    await cli.event("draining");
    cli.kill(second);
    expect(await cli.exited).toEqual({ code, signal: null });
  });
});

describe("what is said where", () => {
  it("without --json: a banner on standard error, nothing on standard output, no colour in a pipe", async () => {
    await using cli = new Cli(["start", "--port", "0"]);
    await cli.said("Ctrl-C");
    for (const words of [
      "echo",
      "http",
      "smtp",
      "inspector",
      "curl -i http://",
      "nc 127",
      "swaks --server",
      "ready in",
    ]) {
      expect(cli.stderr).toContain(words);
    }
    expect(cli.stderr).not.toContain("\u001b");
    cli.kill("SIGTERM");
    await cli.exited;
    expect(cli.lines).toEqual([]);
  });

  it("--quiet says nothing, and serves", async () => {
    await using cli = new Cli(["echo", "--port", "0", "--quiet", "--json"]);
    await cli.ready();
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.lines).toHaveLength(1);
    expect(cli.stderr).toBe("");
  });

  it("a reader that goes away after the ready line does not end the server", async () => {
    await using cli = new Cli(["http", "--port", "0", "--json"]);
    const { http } = await cli.ready();
    cli.child.stdout.destroy();
    const response = await fetch(`${http.url}hello`);
    expect(response.status).toBe(200);
    await response.text();
    cli.kill("SIGTERM");
    // The drained line had nobody to go to.
    expect((await cli.exited).code).toBe(0);
    expect(cli.stderr).toBe("");
  });

  it("a reader that stops reading costs nobody anything, and does not hold the end", async () => {
    await using cli = new Cli(["smtp", "--port", "0", "--json"]);
    const { smtp } = await cli.ready();
    cli.child.stdout.pause();
    const transport = createTransport({ host: "127.0.0.1", port: smtp.port, pool: true, maxConnections: 4 });
    const mail = { from: "me@a.example", to: "you@b.example", subject: "s".repeat(200), text: "hello" };
    // More lines than any pipe holds.
    await Promise.all(Array.from({ length: 2000 }, () => transport.sendMail(mail)));
    transport.close();
    const exited = once(cli.child, "exit");
    cli.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    cli.child.stdout.resume();
  });

  it.skipIf(!hasTool("sh"))("--help into a pipe that closes at once is no error", async () => {
    const { code, stderr } = await runTool("sh", ["-c", `"${process.execPath}" "${mainFile}" --help | true`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  describe.skipIf(!hasTool("script"))("on a terminal", () => {
    /** What a terminal shows until Ctrl-C, which is typed once the banner is there. */
    const onTerminal = async (
      environment: Record<string, string>,
    ): Promise<{ shown: string; code: number }> => {
      const command = `exec '${process.execPath}' '${mainFile}' echo --port 0`;
      const child = spawn("script", ["-qefc", command, "/dev/null"], {
        env: plainEnvironment({ TERM: "xterm-256color", SHELL: "/bin/sh", ...environment }),
        stdio: ["pipe", "pipe", "inherit"],
      });
      let shown = "";
      child.stdout.setEncoding("utf8").on("data", (piece: string) => {
        const before = shown.includes("Ctrl-C");
        shown += piece;
        if (!before && shown.includes("Ctrl-C")) child.stdin.write("\u0003");
      });
      const [code] = (await once(child, "close")) as [number];
      return { shown, code };
    };

    it("there is colour, and Ctrl-C ends the program with 0", async () => {
      const { shown, code } = await onTerminal({});
      expect(shown).toContain("\u001b[");
      expect(code).toBe(0);
    });

    it("there is none with NO_COLOR", async () => {
      const { shown, code } = await onTerminal({ NO_COLOR: "1" });
      expect(shown).toContain("ready in");
      expect(shown).not.toContain("\u001b[");
      expect(code).toBe(0);
    });
  });
});
