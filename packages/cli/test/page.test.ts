// The inspector's page in a real browser, under `tcpkit start`: it shows, live, what goes on at all three servers.
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { createTransport } from "nodemailer";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServiceName } from "../src/commands.ts";
import { Cli } from "./support/cli.ts";
import type { ReadyService } from "./support/cli.ts";
import { hasTool } from "./support/tools.ts";

const executablePath = "/usr/bin/chromium";
const quiet = ["background-networking", "component-update", "sync"].map((name) => `--disable-${name}`);
const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", ...quiet];

describe.skipIf(!hasTool(executablePath))("the inspector's page", () => {
  let cli: Cli;
  let services: Readonly<Record<ServiceName, ReadyService>>;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    cli = new Cli(["start", "--port", "0", "--json"]);
    services = await cli.ready();
    browser = await chromium.launch({ executablePath, args });
    page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    await page.goto(services.inspector.url);
  });

  afterAll(async () => {
    await browser.close();
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(problems).toEqual([]);
  });

  it("offers what there is to try, with the real ports, before anything has happened", async () => {
    const commands = page.locator("#empty");
    for (const name of ["echo", "http", "smtp"] as const) {
      await commands.getByText(String(services[name].port)).first().waitFor();
    }
  });

  it("shows a connection of each server while it is open, and that it has closed", async () => {
    const list = page.locator("#list");

    const echo = connect(services.echo.port, "127.0.0.1");
    echo.write("see me on the page");
    await once(echo, "data");
    const item = list.locator("li", { hasText: "echo" });
    await item.getByText("open", { exact: true }).waitFor();
    echo.end();
    await item.getByText("ended", { exact: true }).waitFor();

    const http = connect(services.http.port, "127.0.0.1");
    http.end("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    await text(http);
    await list.locator("li", { hasText: "http" }).waitFor();

    const transport = createTransport({ host: "127.0.0.1", port: services.smtp.port });
    await transport.sendMail({ from: "me@a.example", to: "you@b.example", subject: "seen", text: "hello" });
    transport.close();
    await list.locator("li", { hasText: "smtp" }).waitFor();
  });

  it("shows what was said", async () => {
    await page.locator("#list li", { hasText: "http" }).getByRole("button").click();
    const detail = page.locator("#detail");
    await detail.getByText("GET /hello", { exact: false }).first().waitFor();
    await page.locator("#list li", { hasText: "smtp" }).getByRole("button").click();
    await detail.getByText("MAIL FROM:<me@a.example>", { exact: false }).first().waitFor();
  });

  it("keeps its own connections out of the picture", async () => {
    expect(await page.locator("#list li", { hasText: "inspector" }).count()).toBe(0);
  });
});
