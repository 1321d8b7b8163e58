// What the tests of the page play on: a browser, an inspector, two servers and their clients.
import { existsSync } from "node:fs";
import { connect, EventLog, serve } from "@tcpkit/core";
import type { Connection, Listener } from "@tcpkit/core";
import { serveEcho } from "@tcpkit/echo";
import { chromium } from "playwright-core";
import type { Browser, Locator, Page } from "playwright-core";
import { serveInspector } from "../../src/index.ts";
import type { InspectorOptions } from "../../src/index.ts";
import { answerLogin, loginProtocol } from "./login-protocol.ts";

const chromiumPath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** True when there is a browser to test with; under CI there must be one. */
export const browserFound: boolean = existsSync(chromiumPath);
if (!browserFound) {
  const message = `no browser at ${chromiumPath}: the page is NOT tested (set CHROMIUM to the path of one)`;
  if (process.env["CI"] !== undefined) throw new Error(message);
  console.warn(message);
}

export function launch(): Promise<Browser> {
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({
    executablePath: chromiumPath,
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", ...quiet],
  });
}

export interface PageOptions {
  readonly width?: number;
  readonly scheme?: "light" | "dark";
  readonly query?: string;
}

interface Servers {
  readonly log: EventLog;
  readonly inspector: Listener;
  readonly echo: Listener;
  readonly login: Listener;
}

async function startServers(options: InspectorOptions): Promise<Servers> {
  const log = new EventLog();
  const listeners: { name: string; host: string; port: number }[] = [];
  const inspector = await serveInspector(log, { services: () => listeners, ...options });
  const echo = await serveEcho({ tap: log });
  const login = await serve(loginProtocol, answerLogin, { tap: log });
  listeners.push({ name: "echo", host: echo.host, port: echo.port });
  listeners.push({ name: "login", host: login.host, port: login.port });
  return { log, inspector, echo, login };
}

/** One program with an inspector, and whoever looks at it and talks to it. */
export class Stage implements AsyncDisposable {
  /** What went wrong on a page, a refusal by its content security policy included. */
  readonly failures: string[] = [];
  readonly #browser: Browser;
  readonly #pages: Page[] = [];
  readonly #clients: Connection[] = [];
  #servers: Servers;

  private constructor(browser: Browser, servers: Servers) {
    this.#browser = browser;
    this.#servers = servers;
  }

  static async set(browser: Browser, options: InspectorOptions = {}): Promise<Stage> {
    return new Stage(browser, await startServers(options));
  }

  get log(): EventLog {
    return this.#servers.log;
  }

  get echo(): Listener {
    return this.#servers.echo;
  }

  get login(): Listener {
    return this.#servers.login;
  }

  /** Ends the program. */
  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    const { inspector, echo, login } = this.#servers;
    await Promise.all([inspector, echo, login].map((listener) => listener.close({ deadline: 1000 })));
  }

  /** Starts it again, with the inspector on the same port. */
  async start(): Promise<void> {
    this.#servers = await startServers({ port: this.#servers.inspector.port });
  }

  /** Opens the page and waits until it is live. */
  async open({ width = 1280, scheme = "light", query = "?lang=en" }: PageOptions = {}): Promise<Page> {
    const page = await this.#browser.newPage({ viewport: { width, height: 800 }, colorScheme: scheme });
    this.#pages.push(page);
    page.on("pageerror", (error) => this.failures.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.failures.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${this.#servers.inspector.port}/${query}`);
    await page.locator("#link-state[data-state=live]").waitFor();
    return page;
  }

  /** A client that has sent something and has its answer. */
  async talk(listener: Listener, text: string): Promise<Connection> {
    const client = await connect({ host: "127.0.0.1", port: listener.port });
    this.#clients.push(client);
    client.on("error", () => {});
    await send(client, text);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#pages.map((page) => page.close()));
    await this.stop();
  }
}

/** Sends, and waits for an answer. */
export async function send(client: Connection, text: string): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    client.once("data", () => resolve());
  });
  client.write(text);
  await answered;
}

/** Ends, and waits until it is closed. */
export async function finish(client: Connection): Promise<void> {
  const done = new Promise<void>((resolve) => {
    client.once("close", () => resolve());
  });
  client.end();
  await done;
}

/** A connection in the page's list, by a part of its text. */
export function item(page: Page, text: string): Locator {
  return page.locator(".item", { hasText: text });
}
