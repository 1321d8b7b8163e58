// The recipes of docs/scaling.md as tests run them: a block of the page, the proxy in the foreground, and clients that
// go on asking while servers behind it come and go.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

const page = readFileSync(new URL("../../../../docs/scaling.md", import.meta.url), "utf8");

/** The page's block in this language, with what the test must have otherwise. @throws when it has no such words. */
export function recipe(language: string, changes: Readonly<Record<string, string>>): string {
  let block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "ms").exec(page)?.[1] ?? "";
  for (const [from, to] of Object.entries(changes)) {
    if (!block.includes(from)) throw new Error(`the recipe for ${language} does not say "${from}"`);
    block = block.replaceAll(from, to);
  }
  return block;
}

/** A proxy as one process in the foreground, which logs to standard error. */
export class Proxy implements AsyncDisposable {
  readonly #child;
  readonly #lines: string[] = [];
  #wake: () => void = () => {};

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] });
    createInterface({ input: this.#child.stderr }).on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
  }

  /** Resolves once it answers on its socket. @throws what it said when it has ended instead. */
  async ready(socketPath: string): Promise<void> {
    while (!(await fetchOnce(socketPath, "/hello").catch(() => undefined))) {
      if (this.#child.exitCode !== null) throw new Error(this.#lines.join("\n"));
      await pause(20);
    }
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
export class Load {
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

  /** Resolves once each of these servers, by the proxy's `X-Served-By`, has answered 20 requests more. */
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
