// End to end with a browser: Chromium.
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveClients } from "./served.ts";
import type { Served } from "./served.ts";
import { hasTool } from "./tools.ts";

const executablePath = "/usr/bin/chromium";

describe.skipIf(!hasTool(executablePath, "--version"))("Chromium", () => {
  let served: Served;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    served = await serveClients();
    browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--disable-gpu", "--no-first-run"],
    });
    page = await browser.newPage();
    const reply = await page.goto(`${served.url}/page`);
    expect(reply?.status()).toBe(200);
  });

  afterAll(async () => {
    await browser?.close();
    await served[Symbol.asyncDispose]();
  });

  it("shows a page", async () => {
    expect(await page.title()).toBe("page");
  });

  it("GET, HEAD, POST, chunks, and a large body", async () => {
    const results = await page.evaluate(async () => {
      const head = await fetch("/a", { method: "HEAD" });
      const post = await fetch("/", { method: "POST", body: "grüße" });
      const bytes = new Uint8Array(500_000).map((_, index) => index);
      const upload = await fetch("/", { method: "PUT", body: bytes });
      const echoed = new Uint8Array(await upload.arrayBuffer());
      const large = await (await fetch("/large")).arrayBuffer();
      const numbers = new Uint32Array(large);
      return {
        get: await (await fetch("/a?name=x%20y")).text(),
        head: head.headers.get("content-length"),
        post: await post.text(),
        framing: post.headers.get("x-framing"),
        upload: echoed.length === bytes.length && bytes.every((byte, index) => byte === echoed[index]),
        large: numbers.length === 750_000 && numbers.every((number, index) => number === 4 * index),
        stream: await (await fetch("/stream")).text(),
      };
    });
    expect(results).toEqual({
      get: "hello /a x y",
      head: "9",
      post: "grüße",
      framing: "length 7",
      upload: true,
      large: true,
      stream: "one two three",
    });
  });

  it("server-sent events", async () => {
    const events = await page.evaluate(
      () =>
        new Promise<string[]>((resolve) => {
          const source = new EventSource("/events");
          const heard: string[] = [];
          source.addEventListener("message", ({ data }) => {
            if (heard.push(String(data)) === 2) {
              source.close();
              resolve(heard);
            }
          });
        }),
    );
    expect(events).toEqual(["one", "two"]);
  });

  it("keeps its connections: a browser opens six at most", async () => {
    served.opened();
    const texts = await page.evaluate(() =>
      Promise.all(Array.from({ length: 60 }, async (_, index) => (await fetch(`/${index}`)).text())),
    );
    expect(texts).toEqual(Array.from({ length: 60 }, (_, index) => `hello /${index} `));
    expect(served.opened()).toBeLessThanOrEqual(6);
  });
});
