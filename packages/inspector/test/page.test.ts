// The page in a real browser, on real traffic.
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { browserFound, finish, item, launch, send, Stage } from "./support/stage.ts";

let browser: Browser;
let stage: Stage;

beforeAll(async () => {
  if (browserFound) browser = await launch();
});

afterAll(async () => {
  if (browserFound) await browser.close();
});

describe.skipIf(!browserFound)("the page", () => {
  beforeEach(async () => {
    stage = await Stage.set(browser);
  });
  afterEach(async () => {
    await stage[Symbol.asyncDispose]();
    expect(stage.failures).toEqual([]);
  });

  it("says what to try while there is nothing", async () => {
    const page = await stage.open();
    await page.getByText(`nc 127.0.0.1 ${stage.echo.port}`).waitFor();
    expect(await page.locator("h2", { hasText: "Waiting for the first connection" }).isVisible()).toBe(true);
    expect(await item(page, "Listeners").isVisible()).toBe(true);
    await item(page, "Listeners").click();
    await page.getByText(`Listens on 127.0.0.1:${stage.echo.port}.`).waitFor();
  });

  it("shows a connection live, in order, both lanes", async () => {
    const page = await stage.open();
    const client = await stage.talk(stage.echo, "hello\r\n");
    await item(page, "echo").waitFor();
    const chunks = page.locator(".card.chunk");
    await chunks.nth(1).waitFor();
    expect(await chunks.first().innerText()).toMatch(/→ in\s+data\s+7 bytes\s+offsets 0–7\s+hello\s*CR\s*LF/);
    expect(await page.locator(".card.inferred").innerText()).toContain("inferred: done by the kernel");
    expect(await page.locator(".card.message").count()).toBe(2);
    await send(client, "again");
    await chunks.nth(3).waitFor();
    await finish(client);
    await page.locator(".card.close").waitFor();
    const kinds = await page.locator(".row .tcp strong").allInnerTexts();
    expect(kinds).toEqual(["connection", "data", "data", "data", "data", "end", "end", "close"]);
    expect(await page.locator("#detail-state").innerText()).toContain("the peer ended");
    expect(await item(page, "echo").innerText()).toMatch(/ended[\s\S]*→ 12 B\s+← 12 B/);
  });

  it("tells how a connection is encrypted, and how a listener came to its end", async () => {
    const page = await stage.open();
    const { log } = stage;
    const local = { kind: "tcp", host: "127.0.0.1", port: 2525 } as const;
    log.observe({ kind: "connection", conn: 7, service: "mail", local });
    const names = { protocol: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };
    log.observe({ kind: "secure", conn: 7, ...names, alpn: undefined, servername: "one.test" });
    log.observe({ kind: "draining", service: "mail", local, connections: 1 });
    log.observe({ kind: "drained", service: "mail", local, drained: 1, cut: 0 });
    await item(page, "mail").click();
    await page.getByText("TLS is set up: TLSv1.3, TLS_AES_256_GCM_SHA384, one.test.").waitFor();
    await item(page, "Listeners").click();
    await page.getByText("mail accepts no more on 127.0.0.1:2525; 1 connection is asked to end.").waitFor();
    await page.getByText("Its last connection is gone: 1 ended in good order, 0 cut.").waitFor();
  });

  it("shows a reset for what it is: no end", async () => {
    const page = await stage.open();
    const client = await stage.talk(stage.echo, "x");
    client.reset();
    await page.locator(".card.close").waitFor();
    const kinds = await page.locator(".row .tcp strong").allInnerTexts();
    expect(kinds).toEqual(["connection", "data", "data", "error", "close"]);
    expect(await page.locator("#detail-state").innerText()).toContain("reset");
  });

  it("marks the bytes of a message in every chunk that carried it", async () => {
    const page = await stage.open();
    const client = await stage.talk(stage.login, "hi\r\n");
    // The state has changed by now, and the first half of a message is here before the second.
    const seen = new Promise<void>((resolve) => {
      const stop = stage.log.read((record) => {
        if (record.kind !== "data" || record.dir !== "in") return;
        stop();
        resolve();
      });
    });
    client.write("LOGIN ann sec");
    await seen;
    await send(client, "ret\r\nrest\r\n");
    const message = page.locator(".message", { hasText: "LOGIN ann" });
    await message.locator("button").first().hover();
    expect(await page.locator("mark.lit").allInnerTexts()).toEqual(["LOGIN ann ", "***", "***", "CRLF"]);
    await message.locator("button").first().click();
    expect(await message.locator(".border").count()).toBe(1);
    expect(await message.locator(".tokens tbody tr").allInnerTexts()).toEqual([
      "command\t4–9\tLOGIN",
      "name\t10–13\tann",
      "password\t14–20\t******",
    ]);
    await message.locator(".tokens tr", { hasText: "password" }).hover();
    expect(await page.locator("mark.lit-token").allInnerTexts()).toEqual(["***", "***"]);
    await page.mouse.move(0, 0);
    await message.locator(".tokens button", { hasText: "name" }).focus();
    expect(await page.locator("mark.lit-token").allInnerTexts()).toEqual(["ann"]);
    await page.locator(".state-change", { hasText: "greeted → named because of login" }).waitFor();
    expect(await page.locator("body").innerText()).not.toMatch(/sec|secret/);
    await page.getByLabel("Hex").check();
    expect(await page.locator(".card.chunk .bytes").first().innerText()).toContain("48 45 4c 4c 4f 0d 0a");
    expect(await page.locator("body").innerText()).not.toContain("73 65 63");
  });

  it("takes what comes over the wire for text", async () => {
    const page = await stage.open();
    await stage.talk(stage.echo, '<img src=x onerror="document.title=1">\u202e\r\n');
    const chunk = page.locator(".card.chunk").first();
    await chunk.waitFor();
    expect(await chunk.innerText()).toContain('<img src=x onerror="document.title=1">\\u{202e}');
    expect(await page.locator(".detail img").count()).toBe(0);
  });

  it("filters by service, by text and by whether it is open", async () => {
    const page = await stage.open();
    await finish(await stage.talk(stage.echo, "one"));
    await stage.talk(stage.echo, "two");
    await stage.talk(stage.login, "three\r\n");
    await page.getByText("3 of 3").waitFor();
    await page.locator("#service").selectOption("echo");
    await page.getByText("2 of 3").waitFor();
    await page.locator("#openness").selectOption("closed");
    await page.getByText("1 of 3").waitFor();
    expect(await item(page, "ended").isVisible()).toBe(true);
    await page.locator("#service").selectOption("");
    await page.locator("#openness").selectOption("all");
    await page.getByLabel("Search").fill("login greeted");
    await page.getByText("1 of 3").waitFor();
    await page.getByLabel("Search").fill("no such thing");
    await page.getByText("No connection matches.").waitFor();
  });

  it("pauses, tells what waits, and goes on without a gap", async () => {
    const page = await stage.open();
    const client = await stage.talk(stage.echo, "before");
    await page.locator(".card.chunk").nth(1).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await send(client, "meanwhile");
    await page.getByRole("button", { name: "Paused · 4 waiting" }).click();
    await page.locator(".card.chunk").nth(3).waitFor();
    expect(await page.locator(".card.chunk .bytes").allInnerTexts()).toEqual([
      "before",
      "before",
      "meanwhile",
      "meanwhile",
    ]);
  });

  it("clears, and goes on with the connections that are open", async () => {
    const page = await stage.open();
    await finish(await stage.talk(stage.echo, "gone"));
    const client = await stage.talk(stage.echo, "stays");
    await page.getByText("2 of 2").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByText("1 of 1").waitFor();
    await send(client, "afterwards");
    await page.locator(".card.chunk").nth(1).waitFor();
    expect(await page.locator(".card.chunk .offsets").first().innerText()).toBe("offsets 5–15");
  });

  it("works without a mouse", async () => {
    const page = await stage.open();
    await stage.talk(stage.login, "first\r\n");
    await stage.talk(stage.login, "second\r\n");
    await page.getByText("2 of 2").waitFor();
    const focused = () => page.evaluate<string>("document.activeElement?.textContent ?? ''");
    await page.locator("#openness").focus();
    await page.keyboard.press("Tab");
    expect(await focused()).toContain("Listeners");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByText("YOU SAID second").last().waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.getByText("YOU SAID first").last().waitFor();
    expect(await page.locator(".item[aria-current]").count()).toBe(1);
    await page.locator("#timeline-pane").focus();
    await page.keyboard.press("Tab");
    expect(await focused()).toContain("inferred");
    await page.keyboard.press("End");
    expect(await focused()).toContain("YOU SAID first");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    expect(await focused()).toContain("say");
    expect(await page.locator(".message-head[aria-expanded=true]").innerText()).toContain("first");
    expect(await page.locator(".card.chunk.lit").count()).toBe(1);
  });

  it("follows the latest, until the reader goes back", async () => {
    const page = await stage.open();
    const client = await stage.talk(stage.echo, "0\n");
    for (let index = 1; index < 40; index += 1) await send(client, `${index}\n`);
    const last = page.locator(".card.chunk").last();
    await page.locator(".card.chunk").nth(79).waitFor();
    await expect.poll(() => last.evaluate((card) => card.getBoundingClientRect().bottom)).toBeLessThan(800);
    const follow = page.getByRole("button", { name: "Follow latest" });
    await page.locator("#timeline-pane").hover();
    await page.mouse.wheel(0, -1500);
    await expect.poll(() => follow.getAttribute("aria-pressed")).toBe("false");
    const top = await page.locator("#timeline-pane").evaluate((pane) => pane.scrollTop);
    await send(client, "more\n");
    await page.locator(".card.chunk").nth(81).waitFor();
    expect(await page.locator("#timeline-pane").evaluate((pane) => pane.scrollTop)).toBe(top);
    await follow.click();
    await expect.poll(() => last.evaluate((card) => card.getBoundingClientRect().bottom)).toBeLessThan(800);
  });

  it("begins at the end of what is there already", async () => {
    const client = await stage.talk(stage.echo, "0\n");
    for (let index = 1; index < 40; index += 1) await send(client, `${index}\n`);
    const page = await stage.open();
    const last = page.locator(".card.chunk").nth(79);
    await expect.poll(() => last.evaluate((card) => card.getBoundingClientRect().bottom)).toBeLessThan(800);
    expect(await page.getByRole("button", { name: "Follow latest" }).getAttribute("aria-pressed")).toBe(
      "true",
    );
  });

  it("speaks Chinese, and leaves the words of the wire as they are", async () => {
    const page = await stage.open({ query: "?lang=zh-CN" });
    await stage.talk(stage.echo, "hello");
    await page.getByText("收到").first().waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
    expect(await page.locator(".card.chunk strong").first().innerText()).toBe("data");
  });

  it("goes on by itself when the program is started again", async () => {
    const page = await stage.open();
    await stage.talk(stage.echo, "first run");
    await page.getByText("1 of 1").waitFor();
    await stage.stop();
    await page.locator("#link-state[data-state=lost]").waitFor();
    // The browser says on the console that it could not connect: that is right.
    await stage.start();
    await stage.talk(stage.echo, "second run");
    await page.locator("#link-state[data-state=live]").waitFor();
    await page.locator(".card.chunk", { hasText: "second run" }).first().waitFor();
    expect(await page.locator(".card.chunk", { hasText: "first run" }).count()).toBe(0);
    expect(await page.getByText("1 of 1").isVisible()).toBe(true);
    stage.failures.splice(0);
  });
});

describe.skipIf(!browserFound)("a page with much to show", () => {
  beforeEach(async () => {
    stage = await Stage.set(browser, { limits: { records: 5000 } });
  });
  afterEach(() => stage[Symbol.asyncDispose]());

  it("takes in thousands of records, shows some of them, and tells what was dropped", async () => {
    const conn = 900_001;
    const record = (): void => stage.log.observe({ kind: "drain", conn });
    stage.log.observe({ kind: "connection", conn, service: "busy" });
    for (let index = 0; index < 20_000; index += 1) record();
    const page = await stage.open();
    await page.getByText("15,000 records dropped").waitFor();
    await page.getByRole("button", { name: /Show older \(4,/ }).waitFor();
    expect(await page.locator(".row").count()).toBeLessThanOrEqual(600);
    for (let index = 0; index < 3000; index += 1) record();
    stage.log.observe({ kind: "close", conn, reason: "local" });
    await page.locator(".card.close").waitFor();
    expect(await page.locator(".row").count()).toBeLessThanOrEqual(600);
    await page.getByRole("button", { name: /Show older/ }).click();
    expect(await page.getByRole("button", { name: "Follow latest" }).getAttribute("aria-pressed")).toBe(
      "false",
    );
    expect(await page.locator(".row").count()).toBeLessThanOrEqual(600);
  });
});
