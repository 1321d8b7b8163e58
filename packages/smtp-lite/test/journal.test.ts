// The journal of a mail folder while it is written, without a thread: what is asked of the disk and in which order, what
// happens when the disk fails, and when a segment ends. Recovery is in journal-recovery.test.ts.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fakeClock } from "@tcpkit/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DOUBTED_PREFIX, JOURNAL_PREFIX } from "../src/journal-format.ts";
import { recoverJournals } from "../src/journal-recovery.ts";
import { Journal } from "../src/journal.ts";
import type { JournalOptions } from "../src/journal.ts";
import { disk, openFolder } from "../src/store-disk.ts";
import type { Folder } from "../src/store-disk.ts";
import { keepTogether } from "../src/store-round.ts";

type Callback = (error: Error | null) => void;

/** What was asked of the disk, in order: "fdatasync one.eml". A test may let a call fail. */
const asked = vi.hoisted(() => ({
  calls: [] as string[],
  names: new Map<number, string>(),
  before: (_call: string): void => {},
}));

vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
  const watch = (call: string): void => {
    asked.calls.push(call);
    asked.before(call);
  };
  const watched =
    (name: "fdatasync" | "fsync") =>
    (file: number, callback: Callback): void => {
      try {
        watch(`${name} ${asked.names.get(file)}`);
      } catch (error) {
        callback(error as Error);
        return;
      }
      real[name](file, callback);
    };
  const watchedSync =
    (name: "fdatasync" | "fsync") =>
    (file: number): void => {
      watch(`${name} ${asked.names.get(file)}`);
      real[`${name}Sync`](file);
    };
  return {
    ...real,
    open(path: string, flags: string, ...rest: unknown[]): void {
      const callback = rest.pop() as (error: Error | null, file?: number) => void;
      try {
        watch(`open ${base(path)}`);
      } catch (error) {
        callback(error as Error);
        return;
      }
      real.open(path, flags, rest[0] as number | undefined, (error, file) => {
        if (error === null) asked.names.set(file, base(path));
        callback(error, file);
      });
    },
    openSync(path: string, flags: string, mode: number): number {
      const file = real.openSync(path, flags, mode);
      asked.names.set(file, base(path));
      return file;
    },
    writevSync(file: number, pieces: readonly Uint8Array[]): number {
      watch(`write ${asked.names.get(file)}`);
      return real.writevSync(file, pieces);
    },
    renameSync(from: string, to: string): void {
      watch(`rename ${base(to)}`);
      real.renameSync(from, to);
    },
    fdatasync: watched("fdatasync"),
    fsync: watched("fsync"),
    fdatasyncSync: watchedSync("fdatasync"),
    fsyncSync: watchedSync("fsync"),
  };
});

let directory = "";
let folder: Folder;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "smtp-lite-journal-"));
  folder = await openFolder(directory);
  asked.calls = [];
  asked.before = () => {};
});
afterEach(async () => {
  await disk.close(folder.file);
  rmSync(directory, { recursive: true, force: true });
});

function open(options?: JournalOptions): Journal {
  return new Journal(folder, { boot: "some-boot", process: "1-1-1" }, options);
}

/** Keeps a round of messages, and tells what was thrown for each. */
function keep(journal: Journal, ...ids: string[]): unknown[] {
  const contents = ids.map((id) => Buffer.from(`Subject: ${id}\r\n\r\n`));
  const lengths = contents.map(({ length }) => length);
  return keepTogether(folder, journal, { ids, lengths, bytes: Buffer.concat(contents) });
}

/** How often what matches was asked of the disk. */
function count(pattern: RegExp): number {
  return asked.calls.filter((call) => pattern.test(call)).length;
}

const SYNC_JOURNAL = /^fdatasync .*journal/;
const OPEN_MESSAGE = /^open .*\.eml$/;
const SYNC_MESSAGE = /^fdatasync .*\.eml$/;
const WELL = [undefined];
const EIO = expect.objectContaining({ code: "EIO" }) as unknown;

/** Lets calls that match fail, as a broken disk does, or for another reason. */
function breakDisk(pattern: RegExp, code = "EIO"): void {
  asked.before = (call) => {
    if (!pattern.test(call)) return;
    throw Object.assign(new Error(`${code}: no`), { code, syscall: call.split(" ")[0] });
  };
}

function segments(): string[] {
  return readdirSync(directory).filter((name) => name.startsWith(JOURNAL_PREFIX));
}

/** Those that are marked for whoever opens the folder next. */
function doubted(): string[] {
  return segments().filter((name) => name.startsWith(DOUBTED_PREFIX));
}

function messages(): string[] {
  return readdirSync(directory).filter((name) => !name.startsWith(JOURNAL_PREFIX));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

it("a round is content, then one write and one sync of the journal, then names: none stands for what is not safe", async () => {
  const journal = open();
  for (const ids of [
    ["one", "two"],
    ["three", "four"],
  ]) {
    asked.calls = [];
    expect(keep(journal, ...ids)).toEqual([undefined, undefined]);
    const name = segments()[0];
    expect(asked.calls).toEqual([
      ...ids.map((id) => `write ${id}.eml.tmp`),
      `write ${name}`,
      `fdatasync ${name}`,
      // The name of the journal itself has to last too: once.
      ...(ids.includes("one") ? [`fsync ${basename(directory)}`] : []),
      ...ids.map((id) => `rename ${id}.eml`),
    ]);
  }
  await journal.close();
  expect(count(SYNC_MESSAGE)).toBe(4);
  // Names last once all content does.
  expect(asked.calls.at(-1)).toBe(`fsync ${basename(directory)}`);
  expect(readdirSync(directory).sort()).toEqual(["four.eml", "one.eml", "three.eml", "two.eml"]);
});

it("many files are made to last by one call for their file system, or one by one where there is no tool for it", async () => {
  const ids = Array.from({ length: 65 }, (_, index) => `m${index}`);
  for (const [options, syncs] of [
    [{}, process.platform === "linux" ? 0 : 65],
    [{ tools: [] }, 65],
    [{ tools: ["/no/such/tool", "/nor/this"] }, 65],
    // Such a name is refused by a throw.
    [{ tools: ["/no\0tool"] }, 65],
  ] as const) {
    asked.calls = [];
    const journal = open(options);
    keep(journal, ...ids);
    await journal.close();
    expect(count(SYNC_MESSAGE)).toBe(syncs);
    expect(readdirSync(directory).sort()).toEqual(ids.map((id) => `${id}.eml`).sort());
  }
});

it("a sync of the journal that fails refuses its round; no record goes behind it, and the next round is kept", async () => {
  const journal = open();
  keep(journal, "before");
  const [first] = segments();
  breakDisk(SYNC_JOURNAL);
  expect(keep(journal, "refused", "too")).toEqual([EIO, EIO]);
  expect(messages()).toEqual(["before.eml"]);
  asked.before = () => {};
  expect(keep(journal, "after")).toEqual(WELL);
  await until(() => segments().length === 1);
  expect(segments()).not.toEqual([first]);
  // What the first segment kept safe was made to last before it went.
  expect(asked.calls).toContain("fdatasync before.eml");
  await journal.close();
  expect(readdirSync(directory).sort()).toEqual(["after.eml", "before.eml"]);
});

it("a journal whose own name cannot be made to last keeps nothing safe", async () => {
  const journal = open();
  breakDisk(/^fsync/);
  expect(keep(journal, "refused")).toEqual([EIO]);
  asked.before = () => {};
  expect(keep(journal, "taken")).toEqual(WELL);
  await journal.close();
  expect(readdirSync(directory)).toEqual(["taken.eml"]);
});

it.each([
  ["write", /^write two/],
  ["name", /^rename two/],
])("a message whose %s fails takes nobody with it, and leaves nothing", async (_, pattern) => {
  const journal = open();
  breakDisk(pattern);
  expect(keep(journal, "one", "two", "three")).toEqual([undefined, EIO, undefined]);
  expect(messages().sort()).toEqual(["one.eml", "three.eml"]);
  await journal.close();
});

it("a round in which nothing could be written asks nothing of the journal", async () => {
  const journal = open();
  breakDisk(/^write/);
  expect(keep(journal, "one")).toEqual([EIO]);
  expect(readdirSync(directory)).toEqual([]);
  await journal.close();
});

it("a temporary file that is there already is somebody else's, and stays", async () => {
  const journal = open();
  mkdirSync(join(directory, "one.eml.tmp"));
  expect(keep(journal, "one")).toMatchObject([{ code: "EEXIST" }]);
  expect(readdirSync(directory)).toEqual(["one.eml.tmp"]);
  await journal.close();
});

it("a segment that is full ends with the next round, once all of its names are there", async () => {
  const journal = open({ size: 1 });
  keep(journal, "one");
  const [first] = segments();
  keep(journal, "two");
  await until(() => segments().length === 1);
  expect(segments()).not.toEqual([first]);
  expect(asked.calls.indexOf("rename one.eml")).toBeLessThan(asked.calls.indexOf("fdatasync one.eml"));
  expect(asked.calls).not.toContain("fdatasync two.eml");
  await journal.close();
});

it("a checkpoint that could not open a file refuses nothing: its segment stays, and goes with the next one", async () => {
  const journal = open({ size: 1 });
  breakDisk(OPEN_MESSAGE, "EMFILE");
  keep(journal, "one");
  expect(keep(journal, "two")).toEqual(WELL);
  await until(() => count(OPEN_MESSAGE) === 1);
  expect(keep(journal, "three")).toEqual(WELL);
  await until(() => count(OPEN_MESSAGE) === 2);
  expect(segments()).toHaveLength(3);
  asked.before = () => {};
  expect(keep(journal, "four")).toEqual(WELL);
  await until(() => segments().length === 1);
  await journal.close();
  expect(readdirSync(directory).sort()).toEqual(["four.eml", "one.eml", "three.eml", "two.eml"]);
});

it("close() tries again what could not be opened; when that fails too, it says so, and the journal stays", async () => {
  const clock = fakeClock();
  const journal = open({ clock });
  breakDisk(OPEN_MESSAGE, "EMFILE");
  keep(journal, "one");
  clock.advance(10_000);
  await until(() => count(OPEN_MESSAGE) === 1);
  await setImmediate();
  await expect(journal.close()).rejects.toThrow("EMFILE");
  expect(count(OPEN_MESSAGE)).toBe(2);
  expect(segments()).toHaveLength(1);
});

describe("a sync that fails at a checkpoint is told once, so", () => {
  it("no later one releases the journal, close() rejects, and the next to open writes the files anew", async () => {
    const journal = open({ size: 1 });
    breakDisk(SYNC_MESSAGE);
    keep(journal, "one");
    expect(keep(journal, "two")).toEqual(WELL);
    await until(() => doubted().length === 2);
    // The disk is well again.
    asked.before = () => {};
    expect(keep(journal, "three")).toEqual(WELL);
    expect(keep(journal, "four")).toEqual(WELL);
    await expect(journal.close()).rejects.toMatchObject({ code: "EIO" });
    expect(segments()).toEqual(doubted());
    expect(messages().sort()).toEqual(["four.eml", "one.eml", "three.eml", "two.eml"]);
    expect(asked.calls.filter((call) => SYNC_MESSAGE.test(call)).sort()).toEqual([
      "fdatasync four.eml",
      "fdatasync one.eml",
      "fdatasync three.eml",
    ]);
    const inodes = (): number[] => ["one", "three"].map((id) => statSync(join(directory, `${id}.eml`)).ino);
    const [one, three] = inodes();
    await recoverJournals(folder, undefined);
    expect(inodes()).toEqual([expect.not.toBeOneOf([one]), three]);
    expect(segments()).toEqual([]);
  });

  it("when it was the whole file system's, what had been written by then counts, sealed or not", async () => {
    const ids = Array.from({ length: 65 }, (_, index) => `m${index}`);
    const journal = open({ size: 1, tools: ["/bin/false", "/bin/true"] });
    keep(journal, ...ids);
    keep(journal, "open");
    await until(() => doubted().length === 2);
    await expect(journal.close()).rejects.toThrow("/bin/false -f has failed");
    expect(segments()).toHaveLength(2);
    expect(count(SYNC_MESSAGE)).toBe(0);
  });

  it("what fails while a folder is put in order is not taken for right the next time", async () => {
    keep(open(), "one");
    breakDisk(SYNC_MESSAGE);
    await expect(recoverJournals(folder, undefined)).rejects.toThrow("EIO");
    asked.before = () => {};
    asked.calls = [];
    await recoverJournals(folder, undefined);
    expect(asked.calls).toContainEqual(expect.stringMatching(/^fdatasync one\..*\.eml\.tmp$/));
    expect(readdirSync(directory)).toEqual(["one.eml"]);
  });
});

describe("a message that was taken away before it was made to last", () => {
  it.each([
    ["moved", (path: string) => renameSync(path, `${path}.moved`)],
    ["given to another user", () => breakDisk(/^open one\.eml/, "EACCES")],
  ])("%s, it lasts by a sync of the whole file system", async (_, take) => {
    const marker = join(directory, "synced");
    const tool = join(directory, "sync");
    writeFileSync(tool, `#!/bin/sh\nreadlink "$2" > ${marker}\n`, { mode: 0o755 });
    const journal = open({ tools: [tool] });
    keep(journal, "one", "two");
    take(join(directory, "one.eml"));
    await journal.close();
    expect(readFileSync(marker, "utf8")).toBe(`${directory}\n`);
    expect(segments()).toEqual([]);
  });

  it("a tool that somebody ends says nothing of the disk: the next checkpoint tries again", async () => {
    const tool = join(directory, "sync");
    const marker = join(directory, "ended");
    writeFileSync(tool, `#!/bin/sh\n[ -e ${marker} ] || { touch ${marker}; kill $$; }\n`, { mode: 0o755 });
    const journal = open({ size: 1, tools: [tool] });
    keep(journal, "one", "two");
    renameSync(join(directory, "one.eml"), join(directory, "moved"));
    // This one seals the first: its checkpoint is the one that fails.
    keep(journal, "three");
    await until(() => existsSync(marker));
    await journal.close();
    expect(segments()).toEqual([]);
  });

  it("without the tool for it, it holds up nobody", async () => {
    const journal = open({ tools: [] });
    keep(journal, "one", "two");
    rmSync(join(directory, "one.eml"));
    await journal.close();
    expect(readdirSync(directory)).toEqual(["two.eml"]);
    expect(asked.calls).toContain("fdatasync two.eml");
  });

  it("when the folder is put in order, another user's stays as it is", async () => {
    keep(open(), "one", "two");
    writeFileSync(join(directory, "one.eml"), "theirs");
    breakDisk(/^open one\.eml/, "EACCES");
    await recoverJournals(folder, undefined);
    expect(readFileSync(join(directory, "one.eml"), "utf8")).toBe("theirs");
    expect(readdirSync(directory).sort()).toEqual(["one.eml", "two.eml"]);
  });
});

it("a segment ends ten seconds after its first record", async () => {
  const clock = fakeClock();
  const journal = open({ clock });
  keep(journal, "one");
  clock.advance(9_999);
  keep(journal, "two");
  expect(segments()).toHaveLength(1);
  clock.advance(1);
  await until(() => segments().length === 0);
  expect(clock.timers).toBe(0);
  keep(journal, "three");
  expect(segments()).toHaveLength(1);
  await journal.close();
  expect(clock.timers).toBe(0);
  expect(readdirSync(directory).sort()).toEqual(["one.eml", "three.eml", "two.eml"]);
});
