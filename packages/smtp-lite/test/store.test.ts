import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openMailDirectory, serveSmtp, SmtpError } from "../src/index.ts";
import type { MailDirectory } from "../src/index.ts";
import { makePath } from "../src/address.ts";
import { formatHeader, formatRecord, JOURNAL_PREFIX } from "../src/journal-format.ts";
import { newId } from "../src/message-id.ts";
import { OPEN, RawClient } from "./support.ts";

let directory = "";
let mail: MailDirectory;

/** The folder as a listing shows it: without the hidden journal, which comes and goes. */
function shown(): string[] {
  return readdirSync(directory)
    .filter((name) => !name.startsWith("."))
    .sort();
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "smtp-lite-"));
  mail = await openMailDirectory(directory);
});
afterEach(async () => {
  await mail.close();
  rmSync(directory, { recursive: true, force: true });
});

setFlagsFromString("--expose-gc");
const sweep = runInNewContext("gc") as () => void;

/** What is held, in bytes, once what is not has been swept. */
function held(): number {
  sweep();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function envelope(id: string): Parameters<MailDirectory["write"]>[0] {
  return { id, from: makePath("a", "b.example"), received: "Received: from x\r\n\tby y\r\n" };
}

/** All that stands in journals. */
function journaled(): string {
  const names = readdirSync(directory).filter((name) => name.startsWith("."));
  return names.map((name) => readFileSync(join(directory, name), "latin1")).join("");
}

/** Three messages at once: the first is on its way alone, the others share the journal. */
async function writeThree(content: string = "x"): Promise<void> {
  await Promise.all(["a", "b", "c"].map((id) => mail.write(envelope(id), pieces(content))));
}

/** Elsewhere than on Linux there is no boot id, and so no journal. */
const hasJournal = existsSync("/proc/sys/kernel/random/boot_id");

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, "latin1");
}

describe("a mail directory", () => {
  it("writes trace and content, byte for byte, under one name, for the owner alone", async () => {
    const path = await mail.write(envelope("one"), pieces("Subject: x\r\n\r\n", "\xff\0.\r\n", ""));
    expect(path).toBe(join(directory, "one.eml"));
    expect(shown()).toEqual(["one.eml"]);
    expect(readFileSync(path, "latin1")).toBe(
      "Return-Path: <a@b.example>\r\nReceived: from x\r\n\tby y\r\nSubject: x\r\n\r\n\xff\0.\r\n",
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("an empty reverse path is written as <>", async () => {
    const path = await mail.write({ ...envelope("bounce"), from: null }, pieces());
    expect(readFileSync(path, "latin1")).toMatch(/^Return-Path: <>\r\n/);
  });

  it("a large message comes out as it went in, whatever the pieces", async () => {
    const texts = Array.from({ length: 300 }, (_, index) => `${index} `.repeat(index * 2));
    const path = await mail.write(envelope("large"), pieces(...texts));
    expect(readFileSync(path, "latin1").split("by y\r\n")[1]).toBe(texts.join(""));
  });

  it("content that drips in takes no more memory than its bytes", async () => {
    const rest = Promise.withResolvers<void>();
    let dripped = 0;
    async function* drip(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 30_000; sent++) yield Buffer.from("x");
      dripped += 1;
      await rest.promise;
    }
    const before = held();
    const ids = Array.from({ length: 20 }, (_, index) => `drip${index}`);
    const written = Promise.all(ids.map((id) => mail.write(envelope(id), drip())));
    while (dripped < ids.length) await setImmediate();
    // As a list of bytes it would be some 60 MB.
    expect(held() - before).toBeLessThan(10_000_000);
    rest.resolve();
    expect(readFileSync((await written)[0] ?? "", "latin1")).toMatch(/\r\nx{30000}$/);
  });

  it("of those that are written together, one that fails takes nobody with it", async () => {
    mkdirSync(join(directory, "bad.eml"));
    const ids = ["one", "bad", "two"];
    const written = await Promise.allSettled(ids.map((id) => mail.write(envelope(id), pieces(id))));
    expect(written.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(shown()).toEqual(["bad.eml", "one.eml", "two.eml"]);
  });

  it("when opened, removes what a crash has left long ago, and nothing else", async () => {
    const long = new Date(Date.now() - 37 * 60 * 60 * 1000);
    for (const name of ["old.eml.tmp", "old.eml", "other.tmp", "new.eml.tmp"]) {
      writeFileSync(join(directory, name), "");
      if (!name.startsWith("new")) utimesSync(join(directory, name), long, long);
    }
    await (await openMailDirectory(directory)).close();
    expect(shown()).toEqual(["new.eml.tmp", "old.eml", "other.tmp"]);
  });

  it("a body that fails leaves nothing behind", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100_000);
      yield Buffer.from("and more");
      expect(shown()).toEqual(["one.eml.tmp"]);
      throw new SmtpError("connection-closed", "gone");
    }
    await expect(mail.write(envelope("one"), broken())).rejects.toMatchObject({
      code: "connection-closed",
    });
    expect(shown()).toEqual([]);
  });

  it("many at once, as a busy server writes them, are all there", async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `m${index}`);
    await Promise.all(ids.map((id) => mail.write(envelope(id), pieces(id))));
    expect(shown()).toEqual(ids.map((id) => `${id}.eml`).sort());
  });

  it.each([3, 70])("once it is closed, there are messages only: %i of them", async (count) => {
    const ids = Array.from({ length: count }, (_, index) => `m${index}`);
    await Promise.all(ids.map((id) => mail.write(envelope(id), pieces(id))));
    await mail.close();
    expect(readdirSync(directory).sort()).toEqual(ids.map((id) => `${id}.eml`).sort());
  });

  it("a message that somebody takes away at once does not trouble the others", async () => {
    rmSync(await mail.write(envelope("taken"), pieces("x")));
    await mail.write(envelope("stays"), pieces("x"));
    await mail.close();
    expect(readdirSync(directory)).toEqual(["stays.eml"]);
  });

  it("is there under its name when write() resolves, and safe by the journal if it is small", async () => {
    const content = "x".repeat(30_000);
    await writeThree(content);
    const written = readFileSync(join(directory, "c.eml"), "latin1");
    expect(written.endsWith(`by y\r\n${content}`)).toBe(true);
    expect(journaled()).toContain(hasJournal ? written : "");
    // A journal that there is anyway takes one that comes alone, too.
    const path = await mail.write(envelope("later"), pieces("y"));
    expect(journaled()).toContain(hasJournal ? readFileSync(path, "latin1") : "");
  });

  it("a message that comes alone needs no journal", async () => {
    await mail.write(envelope("one"), pieces("1"));
    await mail.write(envelope("two"), pieces("2"));
    expect(readdirSync(directory).sort()).toEqual(["one.eml", "two.eml"]);
  });

  it("what is large, or has an id that is not one of ours, is not written twice", async () => {
    await mail.write(envelope("large"), pieces("x".repeat(20_000), "y".repeat(20_000)));
    await mail.write({ ...envelope("trace"), received: `X: ${"x".repeat(70_000)}\r\n` }, pieces("x"));
    await mail.write(envelope("It's mine"), pieces("x"));
    expect(readdirSync(directory).sort()).toEqual(["It's mine.eml", "large.eml", "trace.eml"]);
  });

  it("a folder can be shared: another one that is opened and closed leaves alone what this one needs", async () => {
    await writeThree();
    const before = journaled();
    const other = await openMailDirectory(directory);
    await other.write(envelope("d"), pieces("2"));
    await other.close();
    expect(journaled()).toBe(before);
    expect(shown()).toEqual(["a.eml", "b.eml", "c.eml", "d.eml"]);
  });

  it("once it is closed, nothing is taken and nothing is left behind", async () => {
    const reached = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("x");
      reached.resolve();
      await rest.promise;
    }
    const late = mail.write(envelope("late"), slow());
    await reached.promise;
    await mail.close();
    rest.resolve();
    await expect(late).rejects.toThrow("is closed");
    await expect(mail.write(envelope("later"), pieces("x".repeat(50_000)))).rejects.toThrow("is closed");
    expect(readdirSync(directory)).toEqual([]);
    await mail.close();
  });

  it("what is somebody else's or no message does not keep the folder from opening, and stays", async () => {
    mkdirSync(join(directory, "folder.eml.tmp"));
    utimesSync(join(directory, "folder.eml.tmp"), 0, 0);
    await (await openMailDirectory(directory)).close();
    expect(shown()).toEqual(["folder.eml.tmp"]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "nor do files of another user, where nobody removes another's",
    async () => {
      const journal = [formatHeader({ boot: "some-boot", process: "1-1-1" })];
      journal.push(...formatRecord({ id: "taken", content: Buffer.from("x") }));
      writeFileSync(join(directory, `${JOURNAL_PREFIX}1`), Buffer.concat(journal));
      writeFileSync(join(directory, "taken.eml"), "theirs", { mode: 0o600 });
      writeFileSync(join(directory, "old.eml.tmp"), "");
      utimesSync(join(directory, "old.eml.tmp"), 0, 0);
      chmodSync(directory, 0o1777);
      const before = readdirSync(directory);
      const index = new URL("../src/index.ts", import.meta.url).href;
      const program = `const { openMailDirectory } = await import(${JSON.stringify(index)});
      process.setgid(65534); process.setuid(65534);
      await (await openMailDirectory(process.argv[1])).close();`;
      execFileSync(process.execPath, ["--input-type=module", "-e", program, directory], { stdio: "pipe" });
      expect(readdirSync(directory)).toEqual(before);
      expect(readFileSync(join(directory, "taken.eml"), "latin1")).toBe("theirs");
    },
  );

  it("a path that is relative means the same folder for good", async () => {
    await using other = await openMailDirectory(relative(process.cwd(), directory));
    expect(other.path).toBe(directory);
  });

  it("when the path leads to another folder, nothing is written there, and nobody is told 250", async () => {
    await mail.write(envelope("before"), pieces("x"));
    const moved = `${directory}.moved`;
    renameSync(directory, moved);
    mkdirSync(directory);
    try {
      // The first goes alone, the others together; the last is streamed.
      const written = ["x", "x", "x", "x".repeat(50_000)].map((content, index) =>
        mail.write(envelope(`m${index}`), pieces(content)),
      );
      const message = `${directory} is not the folder any more that was opened: open it anew`;
      for (const one of await Promise.allSettled(written)) {
        expect(one).toMatchObject({ status: "rejected", reason: { message } });
      }
      expect(readdirSync(directory)).toEqual([]);
      expect(readdirSync(moved)).toEqual(["before.eml"]);
    } finally {
      rmSync(moved, { recursive: true });
    }
  });

  it("a folder that is not there is an error, not a new folder", async () => {
    await expect(openMailDirectory(join(directory, "no"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

it("names sort in the order in which they were made", () => {
  const ids = Array.from({ length: 5000 }, newId);
  expect(ids.toSorted()).toEqual(ids);
});

describe("on a full disk", () => {
  const tools = canMount();
  if (!tools) {
    console.warn("SKIPPED: no right to mount a small tmpfs: the full disk is not tested");
  }

  it.skipIf(!tools)(
    "the client hears 452 4.3.1, nothing stays, and once there is room mail goes through",
    async () => {
      mount(directory);
      try {
        const reported: unknown[] = [];
        await using mail = await openMailDirectory(directory);
        await using smtp = await serveSmtp(
          { onMessage: (envelope, body) => mail.write(envelope, body) },
          { onError: (error) => reported.push(error) },
        );
        const client = new RawClient(smtp.port);
        const deliver = async (lines: number): Promise<string> => {
          client.write(OPEN);
          expect(await client.codes(4)).toEqual(["250", "250", "250", "354"]);
          client.write(`${`${"x".repeat(70)}\r\n`.repeat(lines)}.\r\n`);
          return client.reply();
        };
        await client.codes(1);
        const full = "452 4.3.1 No space left, try again later\r\n";
        // Too much for the disk: one that is streamed, then, beside a file that leaves nearly nothing, a small one.
        expect(await deliver(5000)).toBe(full);
        expect(shown()).toEqual([]);
        const filler = join(directory, "filler");
        writeFileSync(filler, Buffer.alloc(60 * 1024));
        expect(await deliver(200)).toBe(full);
        expect(shown()).toEqual(["filler"]);
        expect(reported).toMatchObject([{ code: "no-space", blame: "local" }, { code: "no-space" }]);
        rmSync(filler);
        expect(await deliver(200)).toMatch(/^250 2\.0\.0 /);
        expect(shown()).toHaveLength(1);
        client.socket.destroy();
      } finally {
        unmount(directory);
      }
    },
  );

  it.skipIf(!tools)(
    "a message that fits where the journal does not is refused, and the next one is taken",
    async () => {
      mount(directory);
      try {
        mail = await openMailDirectory(directory);
        const filler = join(directory, "filler");
        // Of 16 pages, 4 are used by these and the journal, 6 by the filler; the file takes 4, and 2 are not enough for as much again.
        await writeThree();
        writeFileSync(filler, Buffer.alloc(24 * 1024));
        const content = "x".repeat(15_000);
        await expect(mail.write(envelope("one"), pieces(content))).rejects.toMatchObject({
          code: "no-space",
        });
        const three = ["a.eml", "b.eml", "c.eml"];
        expect(shown()).toEqual([...three, "filler"]);
        rmSync(filler);
        await mail.write(envelope("two"), pieces(content));
        expect(shown()).toEqual([...three, "two.eml"]);
        await mail.close();
        expect(readdirSync(directory).sort()).toEqual([...three, "two.eml"]);
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
