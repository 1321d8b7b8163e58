// What a journal is worth after the system has gone down: a folder as a power failure leaves it is put in order, and a
// journal that is damaged or forged makes no message that was never written.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openMailDirectory } from "../src/index.ts";
import { thisOrigin } from "../src/boot.ts";
import type { Origin } from "../src/boot.ts";
import {
  formatHeader,
  formatRecord,
  JOURNAL_PREFIX,
  RECORD_BYTES,
  takeHeader,
  takeRecord,
} from "../src/journal-format.ts";
import { recoverJournals } from "../src/journal-recovery.ts";
import { disk, openFolder } from "../src/store-disk.ts";
import { StoreThread } from "../src/store-thread.ts";
import { MailDirectory } from "../src/mail-directory.ts";

const HOURS = 60 * 60 * 1000;
/** A boot that is over. */
const BEFORE: Origin = { boot: "some-boot-before", process: "1-1-1" };
const JOURNAL = `${JOURNAL_PREFIX}1`;

let parent = "";
let directory = "";
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "smtp-lite-recovery-"));
  directory = join(parent, "mail");
  mkdirSync(directory);
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

function header(origin: Origin): Buffer {
  return Buffer.from(formatHeader(origin));
}

function record(id: string, content: string | Buffer): Buffer {
  return Buffer.concat(formatRecord({ id, content: Buffer.from(content) }));
}

function put(name: string, ...bytes: (string | Buffer)[]): void {
  writeFileSync(join(directory, name), Buffer.concat(bytes.map((piece) => Buffer.from(piece))));
}

/** Everything in the folder: names and content. */
function found(): Record<string, string> {
  const names = readdirSync(directory).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), "latin1")]));
}

/** What a server does with what it finds when it starts. */
async function reopen(): Promise<void> {
  const folder = await openFolder(directory);
  try {
    await recoverJournals(folder, await thisOrigin());
  } finally {
    await disk.close(folder.file);
  }
}

it("after a power failure every message is there, byte for byte, and what was right stays; twice gives the same", async () => {
  const content = (id: string): string => `Subject: ${id}\r\n\r\n${"\xff\0\n".repeat(3000)}${id}\r\n`;
  const ids = ["missing", "empty", "cut", "wrong", "long", "right"];
  const journal = [header(BEFORE), ...ids.map((id) => record(id, Buffer.from(content(id), "latin1")))];
  const all = Object.fromEntries(["other", ...ids].sort().map((id) => [`${id}.eml`, content(id)]));
  for (let round = 0; round < 2; round++) {
    // The second time, as if the power had failed again just before the journal was removed.
    put(JOURNAL, ...journal);
    if (round === 0) {
      put("empty.eml");
      put("cut.eml", Buffer.from(content("cut").slice(0, 4096), "latin1"));
      put("wrong.eml", Buffer.alloc(content("wrong").length));
      put("long.eml", Buffer.from(`${content("long")}more`, "latin1"));
      for (const id of ["right", "other"]) put(`${id}.eml`, Buffer.from(content(id), "latin1"));
    }
    await (await openMailDirectory(directory)).close();
    expect(found()).toEqual(all);
  }
});

it("what a store has written comes back from its journal alone", async () => {
  const folder = await openFolder(directory);
  await using mail = new MailDirectory(folder, await StoreThread.start(folder, BEFORE));
  const sizes = [0, 1, 100, 5000, 32_000];
  for (let round = 0; round < 4; round++) {
    const written = sizes.map((size) => {
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let sent = 0; sent < size; sent += 1000)
          yield Buffer.alloc(Math.min(1000, size - sent), "x\r\n");
      }
      return mail.write({ id: `r${round}-${size}`, from: null, received: "Received: x\r\n" }, body());
    });
    await Promise.all(written);
  }
  const before = found();
  for (const name of readdirSync(directory)) if (name.endsWith(".eml")) rmSync(join(directory, name));
  // As it stands on disk: the owner, who is alive here, removes its own.
  const copy = join(parent, "copy");
  cpSync(directory, copy, { recursive: true });
  await (await openMailDirectory(copy)).close();
  directory = copy;
  // The very first came alone, and needed no journal.
  const messages = Object.entries(before).filter(([name]) => name.endsWith(".eml") && name !== "r0-0.eml");
  expect(messages).toHaveLength(19);
  expect(found()).toEqual(Object.fromEntries(messages));
});

it("records of every length come back, also where they do not fit into what is read at once", async () => {
  const lengths = [
    0,
    1,
    RECORD_BYTES,
    RECORD_BYTES - 1,
    RECORD_BYTES,
    7,
    ...Array.from({ length: 40 }, (_, index) => index * 991),
  ];
  const contents = lengths.map((length, index) => Buffer.alloc(length, `${index} `));
  put(JOURNAL, header(BEFORE), ...contents.map((content, index) => record(`m${index}`, content)));
  await reopen();
  expect(readdirSync(directory)).toHaveLength(contents.length);
  for (const [index, content] of contents.entries()) {
    expect(readFileSync(join(directory, `m${index}.eml`)).equals(content), `m${index}`).toBe(true);
  }
});

it("a journal that is torn anywhere in its last record gives all before it, and of it nothing", async () => {
  const first = record("first", "1 first 3 1\n");
  const last = record("last", "the last\n\n");
  for (let length = 0; length <= last.length; length++) {
    put(JOURNAL, header(BEFORE), first, last.subarray(0, length));
    await reopen();
    const isWhole = length === last.length;
    expect(found()).toEqual({ "first.eml": "1 first 3 1\n", ...(isWhole && { "last.eml": "the last\n\n" }) });
    rmSync(join(directory, "first.eml"));
  }
});

it("zeros or old bytes behind what was written, as file systems leave them, are nothing", async () => {
  put(JOURNAL, header(BEFORE), record("one", "1"), Buffer.alloc(5000));
  put(
    `${JOURNAL_PREFIX}2`,
    header(BEFORE),
    record("two", "2"),
    record("three", "3").subarray(5),
    record("four", "4"),
  );
  await reopen();
  expect(found()).toEqual({ "one.eml": "1", "two.eml": "2" });
});

it("no bit that flips, anywhere in a journal, makes a wrong message", async () => {
  const contents = new Map([
    ["one", "Subject: 1\r\n"],
    ["two", ""],
    ["three", "3\n"],
  ]);
  const start = header(BEFORE);
  const journal = Buffer.concat([start, ...[...contents].map(([id, content]) => record(id, content))]);
  for (let bit = 0; bit < journal.length * 8; bit++) {
    const flipped = Buffer.from(journal);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    let rest = flipped.subarray(takeHeader(flipped)?.length ?? flipped.length);
    let count = 0;
    for (let taken; (taken = takeRecord(rest)) !== undefined; count++) {
      expect(contents.get(taken.value.id)).toBe(taken.value.content.toString());
      rest = rest.subarray(taken.length);
    }
    // A flip in the boot's id is nobody's loss.
    expect(count, `bit ${bit}`).toBeLessThan(bit < start.length * 8 ? 4 : 3);
    if (bit % 8 !== (bit >> 3) % 8) continue;
    put(JOURNAL, flipped);
    await reopen();
    for (const [name, content] of Object.entries(found())) {
      if (name === JOURNAL) continue;
      expect(content).toBe(contents.get(name.replace(/\.eml$/, "")));
      rmSync(join(directory, name));
    }
  }
});

it.each([
  ["a way out of the folder", "../x"],
  ["another folder", "a/b"],
  ["an absolute path", "/tmp/x"],
  ["nothing", ""],
  ["dots", ".."],
  ["a NUL", "a\0"],
  ["a space", "a b"],
  ["4 KB", "a".repeat(4096)],
])("an id that is %s is no id", async (_, id) => {
  put(JOURNAL, header(BEFORE), record("good", "1"), record(id, "forged"), record("behind", "2"));
  await reopen();
  expect(found()).toEqual({ "good.eml": "1" });
  expect(readdirSync(parent)).toEqual(["mail"]);
});

it("a record longer than any that is written is none, and a length is written one way only", async () => {
  put(JOURNAL, header(BEFORE), record("long", Buffer.alloc(RECORD_BYTES + 1)));
  put(`${JOURNAL_PREFIX}2`, header(BEFORE), record("one", "1").toString().replace(" 1 ", " 01 "));
  put(`${JOURNAL_PREFIX}3`, header(BEFORE), "a 999999999999999999999 00000000\n");
  await reopen();
  expect(found()).toEqual({});
});

const here = await thisOrigin();

describe.skipIf(here === undefined)("a journal of this boot", () => {
  const owner = here ?? BEFORE;
  const [pid = "", start = "", namespace = ""] = owner.process.split("-");

  it("is left alone, as its owner may be alive; unless nobody has written to it for 36 hours", async () => {
    for (const name of ["new", "old"]) put(JOURNAL_PREFIX + name, header(owner), record(name, "x"));
    // In another container nobody knows who is alive; the number may be anybody's here.
    put(`${JOURNAL_PREFIX}foreign`, header({ ...owner, process: "999999999-1-1" }), record("x", "x"));
    // One that is being begun has no first line yet; and what cannot be read may be somebody's.
    put(`${JOURNAL_PREFIX}begun`);
    put(`${JOURNAL_PREFIX}other`, "tcpkit-mail-journal 2 x\n", record("x", "x"));
    put(`${JOURNAL_PREFIX}stale`, "?");
    for (const name of ["old", "stale"]) age(JOURNAL_PREFIX + name, 37);
    age(`${JOURNAL_PREFIX}begun`, 35);
    await reopen();
    expect(readdirSync(directory).sort()).toEqual(
      ["begun", "foreign", "new", "other"].map((name) => JOURNAL_PREFIX + name),
    );
  });

  it.each([
    ["there is no process of its number", `999999999-1-${namespace}`],
    ["its number is another process's now", `${pid}-${Number(start) - 1}-${namespace}`],
  ])(
    "goes when %s; what is right stays as it is, what was taken away stays away, and what a lost disk lost comes back",
    async (_, process) => {
      const ids = ["right", "taken", "empty", "wrong", "begun"];
      put(JOURNAL, header({ ...owner, process }), ...ids.map((id) => record(id, `Subject: ${id}\r\n`)));
      put("right.eml", "Subject: right\r\n");
      put("empty.eml");
      put("wrong.eml", Buffer.alloc(16));
      put("begun.eml.tmp");
      const { ino } = statSync(join(directory, "right.eml"));
      await reopen();
      const there = ids.filter((id) => id !== "taken").sort();
      expect(found()).toEqual(Object.fromEntries(there.map((id) => [`${id}.eml`, `Subject: ${id}\r\n`])));
      expect(statSync(join(directory, "right.eml")).ino).toBe(ino);
    },
  );

  it("is put in order after 36 hours when nobody can tell who wrote it, not thrown away", async () => {
    put(JOURNAL, header({ ...owner, process: "1-1-1" }), record("empty", "1"), record("taken", "2"));
    put("empty.eml");
    age(JOURNAL, 37);
    await reopen();
    expect(found()).toEqual({ "empty.eml": "1" });
  });

  it("goes when its owner is dead, although nobody has noticed that", async () => {
    // What the shell has become never asks for its child; the shell itself might, so the child lives until then.
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"]);
    const proc = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, "latin1");
    try {
      const [text] = (await once(parent.stdout, "data")) as [Buffer];
      const child = Number(text);
      while (proc(parent.pid ?? 0, "comm") !== "sleep\n") await setImmediate();
      process.kill(child, "SIGKILL");
      while (!proc(child, "stat").includes(") Z ")) await setImmediate();
      const name = `${child}-${proc(child, "stat").split(" ")[21]}-${namespace}`;
      put(JOURNAL, header({ ...owner, process: name }), record("one", "1"));
      await reopen();
      expect(found()).toEqual({});
    } finally {
      parent.kill();
    }
  });
});

it("a journal of another boot is replayed however old it is", async () => {
  put(JOURNAL, header(BEFORE), record("one", "1"));
  age(JOURNAL, 1000);
  await reopen();
  expect(found()).toEqual({ "one.eml": "1" });
});

it("where the boot is not known, a journal is replayed, and none is written", async () => {
  const folder = await openFolder(directory);
  put(JOURNAL, header(BEFORE), record("one", "1"));
  await recoverJournals(folder, undefined);
  expect(found()).toEqual({ "one.eml": "1" });
  await using mail = new MailDirectory(folder, undefined);
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
  }
  await mail.write({ id: "two", from: null, received: "" }, body());
  expect(readdirSync(directory).sort()).toEqual(["one.eml", "two.eml"]);
});

it("several that open the folder at once put it in order together", async () => {
  const ids = Array.from({ length: 40 }, (_, index) => `m${index}`);
  for (const part of [0, 1]) {
    const half = ids.filter((_, index) => index % 2 === part);
    put(JOURNAL_PREFIX + String(part), header(BEFORE), ...half.map((id) => record(id, id.repeat(1000))));
  }
  await Promise.all([reopen(), reopen(), reopen(), reopen()]);
  expect(found()).toEqual(Object.fromEntries(ids.map((id) => [`${id}.eml`, id.repeat(1000)])));
});

it("when a message cannot be put back, opening fails, and the journal stays for the next time", async () => {
  put(JOURNAL, header(BEFORE), record("one", "1"), record("two", "2"));
  mkdirSync(join(directory, "one.eml"));
  await expect(reopen()).rejects.toThrow(/EISDIR/);
  expect(readdirSync(directory).sort()).toEqual([JOURNAL, "one.eml"]);
  rmSync(join(directory, "one.eml"), { recursive: true });
  await reopen();
  expect(found()).toEqual({ "one.eml": "1", "two.eml": "2" });
});

it("only files are journals", async () => {
  mkdirSync(join(directory, JOURNAL));
  await reopen();
  expect(existsSync(join(directory, JOURNAL))).toBe(true);
});

function age(name: string, hours: number): void {
  const then = new Date(Date.now() - hours * HOURS);
  utimesSync(join(directory, name), then, then);
}
