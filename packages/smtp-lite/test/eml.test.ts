import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serveSmtp, SmtpError, writeMessage } from "../src/index.ts";
import { makePath } from "../src/address.ts";
import { OPEN, RawClient } from "./support.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "smtp-lite-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function envelope(id: string): Parameters<typeof writeMessage>[1] {
  return { id, from: makePath("a", "b.example"), received: "Received: from x\r\n\tby y\r\n" };
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, "latin1");
}

describe("writeMessage", () => {
  it("writes trace and content, byte for byte, under one name, for the owner alone", async () => {
    const path = await writeMessage(
      directory,
      envelope("one"),
      pieces("Subject: x\r\n\r\n", "\xff\0.\r\n", ""),
    );
    expect(path).toBe(join(directory, "one.eml"));
    expect(readdirSync(directory)).toEqual(["one.eml"]);
    expect(readFileSync(path, "latin1")).toBe(
      "Return-Path: <a@b.example>\r\nReceived: from x\r\n\tby y\r\nSubject: x\r\n\r\n\xff\0.\r\n",
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("an empty reverse path is written as <>", async () => {
    const path = await writeMessage(directory, { ...envelope("bounce"), from: null }, pieces());
    expect(readFileSync(path, "latin1")).toMatch(/^Return-Path: <>\r\n/);
  });

  it("a body that fails leaves nothing behind", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      expect(readdirSync(directory)).toEqual(["one.tmp"]);
      throw new SmtpError("connection-closed", "gone");
    }
    await expect(writeMessage(directory, envelope("one"), broken())).rejects.toMatchObject({
      code: "connection-closed",
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  it("many at once, as a busy server writes them, are all there", async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `m${index}`);
    await Promise.all(ids.map((id) => writeMessage(directory, envelope(id), pieces(id))));
    expect(readdirSync(directory).sort()).toEqual(ids.map((id) => `${id}.eml`).sort());
  });

  it("a folder that is not there is an error, not a new folder", async () => {
    await expect(writeMessage(join(directory, "no"), envelope("one"), pieces())).rejects.toMatchObject({
      code: "ENOENT",
    });
  });
});

describe("on a full disk", () => {
  const tools = canMount();
  if (!tools) {
    console.warn("SKIPPED: no right to mount a small tmpfs: the full disk is not tested");
  }

  it.skipIf(!tools)(
    "the client hears 452 4.3.1, nothing stays, and the next message goes through",
    async () => {
      mount(directory);
      try {
        const reported: unknown[] = [];
        await using smtp = await serveSmtp(
          { onMessage: (envelope, body) => writeMessage(directory, envelope, body) },
          { onError: (error) => reported.push(error) },
        );
        const client = new RawClient(smtp.port);
        client.write(OPEN);
        await client.codes(5);
        client.write(`${`${"x".repeat(70)}\r\n`.repeat(5000)}.\r\n`);
        expect(await client.reply()).toBe("452 4.3.1 No space left, try again later\r\n");
        expect(readdirSync(directory)).toEqual([]);
        expect(reported).toMatchObject([{ code: "no-space", blame: "local" }]);
        client.write(OPEN);
        await client.codes(4);
        client.write("small\r\n.\r\n");
        expect(await client.codes(1)).toEqual(["250"]);
        expect(readdirSync(directory)).toHaveLength(1);
        client.socket.destroy();
      } finally {
        unmount(directory);
      }
    },
  );
});

function canMount(): boolean {
  const probe = mkdtempSync(join(tmpdir(), "smtp-lite-mount-"));
  try {
    mount(probe);
    unmount(probe);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/** A disk of 64 KiB. */
function mount(at: string): void {
  runTool("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", at);
}

function unmount(at: string): void {
  runTool("umount", at);
}

function runTool(tool: string, ...args: string[]): void {
  execFileSync(tool, args, { stdio: "ignore" });
}
