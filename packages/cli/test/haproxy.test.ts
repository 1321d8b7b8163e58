// The recipe of docs/scaling.md, as it stands there: two servers behind HAProxy, each drained and started again while
// clients go on asking. Only its addresses, how often it checks, and that it never tries twice are the test's.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { Cli } from "./support/cli.ts";
import { hasTool } from "./support/tools.ts";

const documentation = readFileSync(new URL("../../../docs/scaling.md", import.meta.url), "utf8");
const recipe = /^```haproxy\n(.*?)^```$/ms.exec(documentation)?.[1] ?? "";

/** Debian's place for it is not on everybody's PATH. */
const haproxyFile = "/usr/sbin/haproxy";

function replaced(from: string, to: string, within: string): string {
  expect(within).toContain(from);
  return within.replace(from, to);
}

/** HAProxy in the foreground. */
class HaProxy implements AsyncDisposable {
  readonly #child;
  readonly #lines: string[] = [];
  #wake: () => void = () => {};

  constructor(configuration: string) {
    this.#child = spawn(haproxyFile, ["-db", "-f", configuration], { stdio: ["ignore", "ignore", "pipe"] });
    createInterface({ input: this.#child.stderr }).on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
  }

  /** Resolves once it has said this, after what was asked for before. */
  async said(words: string): Promise<void> {
    for (;;) {
      const index = this.#lines.findIndex((line) => line.includes(words));
      this.#lines.splice(0, index === -1 ? this.#lines.length : index + 1);
      if (index !== -1) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    if (this.#child.kill("SIGKILL")) await exited;
  }
}

/** Clients with connections that are kept, which ask at a gentle pace and never ask twice. */
class Load {
  /** What was not answered as it should be. */
  readonly failures: string[] = [];
  readonly #served = new Map<string, number>();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #clients: Promise<void>[];
  #over = false;
  #wake: () => void = () => {};

  constructor(socketPath: string) {
    this.#clients = Array.from({ length: 4 }, () => this.#ask(socketPath));
  }

  /** Resolves once each of these servers has answered 20 requests more. */
  async servedBy(...servers: readonly string[]): Promise<void> {
    const before = new Map(this.#served);
    const enough = (server: string): boolean =>
      (this.#served.get(server) ?? 0) >= (before.get(server) ?? 0) + 20;
    while (!servers.every(enough)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  async #ask(socketPath: string): Promise<void> {
    while (!this.#over) {
      try {
        const { status, server, body } = await fetchOnce(socketPath, "/hello", this.#agent);
        if (status !== 200 || body !== "Hello, World!") this.failures.push(`${status} ${body}`);
        this.#served.set(server, (this.#served.get(server) ?? 0) + 1);
      } catch (error) {
        this.failures.push(String(error));
      }
      this.#wake();
      await pause(10);
    }
  }
}

async function fetchOnce(
  socketPath: string,
  path: string,
  agent?: Agent,
): Promise<{ status: number | undefined; server: string; body: string }> {
  const request = get({ socketPath, path, ...(agent === undefined ? {} : { agent }) });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const body = await text(response);
  return { status: response.statusCode, server: String(response.headers["x-served-by"]), body };
}

const demo = (port: number): Cli =>
  new Cli(["http", "--port", String(port), "--json", "--lame-duck", "2", "--grace", "30"]);

it.skipIf(!hasTool(haproxyFile))(
  "servers behind HAProxy are restarted one after the other, and no request fails",
  { timeout: 60_000 },
  async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "tcpkit-haproxy-"));
    await using one = demo(0);
    await using two = demo(0);
    const ports = { one: (await one.ready()).http.port, two: (await two.ready()).http.port };
    const front = join(folder.path, "front");
    let configuration = replaced("bind :80", `bind unix@${front}`, recipe);
    configuration = replaced("10.0.0.1:8080", `127.0.0.1:${ports.one}`, configuration);
    configuration = replaced("10.0.0.2:8080", `127.0.0.1:${ports.two}`, configuration);
    configuration = replaced("inter 1s", "inter 100ms", configuration);
    // Without its safety net a request to a server that no longer accepts would fail, and be seen.
    configuration = replaced("option redispatch", "retries 0", configuration);
    const file = join(folder.path, "haproxy.cfg");
    await writeFile(file, configuration);
    await using haproxy = new HaProxy(file);
    while (!(await fetchOnce(front, "/hello").catch(() => undefined))) await pause(20);

    const load = new Load(front);
    await load.servedBy("one", "two");
    await using replacements = new AsyncDisposableStack();
    for (const [name, server] of [
      ["one", one],
      ["two", two],
    ] as const) {
      server.kill("SIGTERM");
      await haproxy.said(`Server app/${name} is DOWN`);
      expect(await server.event("drained")).toMatchObject({ cut: 0 });
      expect(await server.exited).toEqual({ code: 0, signal: null });
      await load.servedBy(name === "one" ? "two" : "one");
      await replacements.use(demo(ports[name])).ready();
      await haproxy.said(`Server app/${name} is UP`);
      await load.servedBy("one", "two");
    }
    await load.end();
    expect(load.failures).toEqual([]);
  },
);
