// How the page looks: nothing that axe-core complains about, nothing wider than the page; and screenshots, to be looked
// at by a person (set SCREENSHOTS to a folder to choose where).
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserFound, item, launch, Stage } from "./support/stage.ts";

let browser: Browser;
let shots: string;

beforeAll(async () => {
  if (!browserFound) return;
  browser = await launch();
  const folder = process.env["SCREENSHOTS"];
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  shots = folder ?? (await mkdtemp(join(tmpdir(), "tcpkit-inspector-")));
});

afterAll(async () => {
  if (browserFound) await browser.close();
});

/** What axe-core has to say against the page as it is now. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message}`),
  );
}

describe.skipIf(!browserFound)("the page", () => {
  it.each([
    [1280, "light"],
    [1280, "dark"],
    [390, "light"],
    [390, "dark"],
  ] as const)("has nothing that axe-core complains about at %i pixels, %s", async (width, scheme) => {
    await using stage = await Stage.set(browser);
    const page = await stage.open({ width, scheme });
    await page.locator(".commands li").first().waitFor();
    const shoot = (name: string) => page.screenshot({ path: join(shots, `${name}-${width}-${scheme}.png`) });
    await shoot("empty");
    expect(await violations(page)).toEqual([]);
    const client = await stage.talk(stage.echo, "GET / HTTP/1.1\r\nHost: x\r\n\r\n\0\u001b");
    client.reset();
    await stage.talk(stage.login, "hello\r\nLOGIN ann secret\r\n");
    await page.getByText("2 of 2").waitFor();
    await shoot("list");
    expect(await violations(page)).toEqual([]);
    await item(page, "login").click();
    const message = page.locator(".message-head", { hasText: "LOGIN ann" });
    await message.click();
    await message.hover();
    await page.locator("mark.lit").first().waitFor();
    await shoot("message");
    expect(await violations(page)).toEqual([]);
    await page.getByLabel("Hex").check();
    await shoot("hex");
    expect(await violations(page)).toEqual([]);
    // Nothing is wider than the page.
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    if (width < 500) {
      await page.getByRole("button", { name: "List" }).click();
      expect(await page.evaluate("document.activeElement.textContent")).toContain("login");
    }
    expect(stage.failures).toEqual([]);
  });
});
