// A server that is killed while it takes mail: what it promised is there, and nothing is there by half. It does not prove
// the fsyncs, since what a killed process has written stays with the kernel; it proves the order of all else.
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { RawClient } from "./support.ts";

const KILLS = 50;
const CLIENTS = 16;

let directory = "";
let server: ChildProcess | undefined;

afterEach(() => {
  server?.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

/** A message that tells, when read, which one it is and whether it is whole. */
function content(id: string, lines: number): string {
  return `Subject: ${id} ${lines}\r\n\r\n${`${id}\r\n`.repeat(lines)}end of ${id}\r\n`;
}

/** Sends one message after the other over a connection, and tells of each 250, until the connection breaks. */
async function load(
  port: number,
  name: string,
  next: () => number,
  kept: (id: string) => void,
): Promise<void> {
  const client = new RawClient(port);
  try {
    await client.reply();
    for (let count = 0; ; count++) {
      const id = `${name}-${count}`;
      client.write("EHLO a.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
      await client.codes(4);
      // Some are written at once, some piece by piece.
      client.write(`${content(id, Math.floor(next() * (count % 4 === 0 ? 8000 : 500)))}.\r\n`);
      const reply = await client.reply();
      if (!reply.startsWith("250 ")) throw new Error(`refused: ${reply}`);
      kept(id);
    }
  } catch (error) {
    if (!String(error).includes("the server closed")) throw error;
  } finally {
    client.socket.destroy();
  }
}

/** Numbers from 0 up to 1 that a seed decides (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Files do not care how the wire is read: once is enough.
it.skipIf(process.env["TCPKIT_FAST_READ"] === "off")(
  `killed ${KILLS} times, a server has lost nothing that it said 250 to, and shows no half message`,
  { timeout: 60_000 },
  async () => {
    directory = mkdtempSync(join(tmpdir(), "smtp-lite-kill-"));
    const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
    console.log(`kill.test.ts: SEED=${seed}`);
    const next = random(seed);
    const promised = new Set<string>();
    for (let round = 0; round < KILLS; round++) {
      const child = fork(fileURLToPath(new URL("kill-server.ts", import.meta.url)), [directory]);
      server = child;
      const exited = once(child, "exit");
      const [port] = (await once(child, "message")) as [number];
      // From the first message on, anywhere in what the server does for the others.
      let left = 1 + Math.floor(next() * 60);
      const kept = (id: string): void => {
        promised.add(id);
        left -= 1;
        if (left === 0) child.kill("SIGKILL");
      };
      await Promise.all(
        Array.from({ length: CLIENTS }, (_, index) => load(port, `r${round}c${index}`, next, kept)),
      );
      expect((await exited)[1]).toBe("SIGKILL");
    }
    const names = readdirSync(directory);
    const found = new Set<string>();
    for (const name of names.filter((one) => one.endsWith(".eml"))) {
      const text = readFileSync(join(directory, name), "latin1");
      const [, id = "", lines = ""] = /^Subject: (\S+) (\d+)\r$/m.exec(text) ?? [];
      expect(text.endsWith(`\r\n${content(id, Number(lines))}`), `${name} is whole; SEED=${seed}`).toBe(true);
      found.add(id);
    }
    expect([...promised].filter((id) => !found.has(id))).toEqual([]);
    // It was killed in the middle of things: there are messages without a reply, or begun ones.
    const messages = names.filter((name) => name.endsWith(".eml") || name.endsWith(".eml.tmp"));
    expect(messages.length).toBeGreaterThan(promised.size);
  },
);
