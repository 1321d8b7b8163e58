// The thread of a mail folder, as its owner meets it: whoever waits hears of its end, an error keeps what it says, and it
// holds up no process.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openMailDirectory } from "../src/index.ts";
import { disk, openFolder } from "../src/store-disk.ts";
import type { Folder } from "../src/store-disk.ts";
import { StoreThread } from "../src/store-thread.ts";
import { MailDirectory } from "../src/mail-directory.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "smtp-lite-thread-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function* body(...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield Buffer.alloc(size, "x");
}

function write(mail: MailDirectory, id: string, ...sizes: number[]): Promise<string> {
  return mail.write({ id, from: null, received: "" }, body(...sizes));
}

function reasons(settled: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return settled.map((one) => (one.status === "rejected" ? one.reason : undefined));
}

describe("a thread that goes wrong", () => {
  async function start(program: string): Promise<{ folder: Folder; thread: Promise<StoreThread> }> {
    const folder = await openFolder(directory);
    const start = 'import { parentPort } from "node:worker_threads"; parentPort.postMessage([]);';
    const url = new URL(`data:text/javascript,${encodeURIComponent(start + program)}`);
    return { folder, thread: StoreThread.start(folder, { boot: "x", process: "1-1-1" }, url) };
  }

  it.each([
    ["throws", 'parentPort.on("message", () => { throw new Error("broken"); });', "broken"],
    [
      "has a rejection of nobody",
      'parentPort.on("message", () => Promise.reject(new Error("lost")));',
      "lost",
    ],
    ["ends", 'parentPort.once("message", () => process.exit(0));', undefined],
  ])("that %s, is told to all who wait and to all who come later", async (_, program, cause) => {
    const { folder, thread } = await start(program);
    const mail = new MailDirectory(folder, await thread);
    const ended = {
      message: `the thread that keeps mail in ${directory} has ended: open it anew`,
      ...(cause !== undefined && { cause: { message: cause } }),
    };
    const first = await Promise.allSettled([1, 2, 3].map((count) => write(mail, `m${count}`, count)));
    expect(reasons(first)).toMatchObject([ended, ended, ended]);
    const later = await Promise.allSettled([write(mail, "small", 1), write(mail, "large", 40_000)]);
    expect(reasons(later)).toMatchObject([ended, ended]);
    await expect(mail.close()).rejects.toMatchObject(ended);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is told when it cannot start", async () => {
    const folder = await openFolder(directory);
    const program = new URL("no-such-file.js", import.meta.url);
    const starting = StoreThread.start(folder, { boot: "x", process: "1-1-1" }, program);
    await expect(starting).rejects.toMatchObject({
      message: `the thread that keeps mail in ${directory} has ended: open it anew`,
      cause: { message: expect.stringContaining("no-such-file.js") as unknown },
    });
    await disk.close(folder.file);
  });
});

it("an error of the file system keeps what it says", async () => {
  const mail = await openMailDirectory(directory);
  rmSync(directory, { recursive: true });
  const error: unknown = await write(mail, "one", 100).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    message: expect.stringMatching(/^ENOENT: no such file or directory, stat '/) as unknown,
    code: "ENOENT",
    errno: -2,
    syscall: "stat",
    path: directory,
  });
  await mail.close();
});

it("close() while messages come keeps all that were told so, refuses the others, and leaves nothing else", async () => {
  const mail = await openMailDirectory(directory);
  const writes = Array.from({ length: 400 }, (_, index) =>
    // They are ready one after the other, some before close() and some after it.
    write(mail, `m${String(index).padStart(3, "0")}`, ...Array.from({ length: index % 40 }, () => 100)),
  );
  await Promise.race(writes);
  const more = Array.from({ length: 50 }, (_, index) => write(mail, `n${index}`, ...Array(index).fill(1)));
  const settling = Promise.allSettled([...writes, ...more]);
  await mail.close();
  const atClose = readdirSync(directory).sort();
  const settled = await settling;
  const kept = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.map((path) => path.slice(directory.length + 1)).sort()).toEqual(atClose);
  for (const reason of reasons(settled))
    if (reason !== undefined)
      expect(reason).toMatchObject({ message: expect.stringContaining("is closed") as unknown });
  expect(readdirSync(directory).sort()).toEqual(atClose);
});

describe("a process", () => {
  /** Runs a program that has opened the folder as `mail`; it rejects where that writes to stderr or does not end well. */
  async function run(program: string, ...options: string[]): Promise<string> {
    const index = new URL("../src/index.ts", import.meta.url).href;
    const start = `import { openMailDirectory } from ${JSON.stringify(index)};
      const mail = await openMailDirectory(process.argv[1]);
      const write = (id) => mail.write({ id, from: null, received: "" }, (async function* () { yield Buffer.from(id); })());`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      ...options,
      "--input-type=module",
      "-e",
      `${start}${program}`,
      directory,
    ]);
    expect(stderr).toBe("");
    return stdout;
  }

  it.each([
    ["has written nothing", ""],
    ["has written", 'await write("one");'],
  ])("that forgets to close the folder ends all the same, when it %s", async (_, program) => {
    expect(await run(program)).toBe("");
  });

  it("does not end before messages are kept", async () => {
    await run('for (const id of ["one", "two"]) write(id);');
    expect(readdirSync(directory).filter((name) => name.endsWith(".eml"))).toEqual(["one.eml", "two.eml"]);
  });

  it("does not end before the folder is closed, when the end is nowhere awaited", async () => {
    await run('await write("one"); mail.close();');
    expect(readdirSync(directory)).toEqual(["one.eml"]);
    expect(readFileSync(join(directory, "one.eml"), "latin1")).toBe("Return-Path: <>\r\none");
  });

  it("gives the thread nothing of the code that it loads first", async () => {
    const preload = `data:text/javascript,console.log("loaded")`;
    expect(await run('await write("one"); await mail.close();', "--import", preload)).toBe("loaded\n");
  });

  it("whose predecessor forgot to close the folder takes that one's journal away", async () => {
    await run('await Promise.all([write("one"), write("two"), write("three")]);');
    const messages = ["one.eml", "three.eml", "two.eml"];
    expect(readdirSync(directory).sort()).not.toEqual(messages);
    await (await openMailDirectory(directory)).close();
    expect(readdirSync(directory).sort()).toEqual(messages);
  });
});
