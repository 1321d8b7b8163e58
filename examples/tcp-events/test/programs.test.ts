// Runs every program twice, imported and as a process of its own, and compares what it prints: the lines are printed
// by the listeners themselves, so they show that each event happens, in which order and with what.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../src");

const PRINTED: Record<string, readonly string[]> = {
  "tcp-server": [
    'client: data "Welcome!\\r\\n"',
    'server: data "hello\\r\\n"',
    'client: data "You sent hello\\r\\n"',
    "server: the client has ended its side",
    "server: closed (ended)",
  ],
  listening: [
    "before: not-listening",
    "listening on 127.0.0.1:PORT",
    "a client can connect",
    "in short: listening on 127.0.0.1:PORT",
  ],
  connection: [
    "client: connected, and the server has not even looked",
    "server: connection from 127.0.0.1",
    'client: data "Welcome!\\r\\n"',
  ],
  "listener-close": [
    "server: close() called, 2 connections are open",
    "server: the polite client is gone (local)",
    "a third client: connection-refused",
    "server: the stubborn client is gone (aborted)",
    "server: close",
    "server: 1 drained, 1 cut at the deadline",
  ],
  "listener-error": [
    "first server: listening",
    "second server: error address-in-use, the cause is EADDRINUSE",
    "second server: 127.0.0.1:PORT is already in use",
    "third server: on another port, true",
  ],
  data: [
    'two writes came as ["one,two"]',
    "one write of 1,000,000 bytes came as several chunks",
    "decoded chunk by chunk: 你\uFFFD\uFFFD\uFFFD",
    "decoded as one stream: 你好",
  ],
  end: [
    "client: I have called end(), and that was no `end` event of mine",
    "server: now I read",
    'server: data "that is all"',
    "server: end",
    'client: data "and goodbye"',
    "client: end",
  ],
  "half-close": ["server: the client has ended, now I count", 'client: data "5 words"'],
  connect: [
    "client: written, though not connected",
    "client: connect",
    'client: data "you said hello"',
    "client: close (local)",
    "late client: error, the cause is ECONNREFUSED",
    "late client: close (aborted)",
    "connect(): connection-refused, nobody listens on 127.0.0.1:PORT",
  ],
  drain: [
    "1,000 small writes: write() was false 0 times, drain came 0 times",
    "16 MiB in large writes: each false was followed by one drain: true",
    "at most 64 KiB waited in our buffer",
  ],
  error: [
    "server: error reset",
    "server: close (reset)",
    "server: close (reset), nobody listened to `error`, and we go on",
    expect.stringMatching(/^server: error handler-failed: SyntaxError: /),
    "server: close (local), and we go on",
  ],
  close: [
    "the client ends: ended",
    "the server ends: local",
    "the client resets: reset",
    "the server destroys: aborted",
    "the server has waited enough: timeout",
    "the client breaks the protocol: protocol",
    "and the reason has a cause: no line end within 80 bytes, at offset 80",
  ],
  timeout: [
    "silent client: timeout, and the connection is open",
    "silent client: still here, you said anybody?",
    "dripping client, message deadline: closed (timeout)",
    "dripping client, idle timeout: 0 timeouts, open",
  ],
  "unix-socket": [
    "a killed server has left its socket file: true",
    "listening, kind of address: unix",
    "who may connect: 600",
    "a second server on the same path: address-in-use",
    'client: data "Welcome!\\r\\n"',
    "after close() the file is there: false",
  ],
};

interface Program {
  readonly main: (print: (line: string) => void) => Promise<void>;
}

it("knows every program", () => {
  const programs = readdirSync(SRC).map((file) => file.replace(/\.ts$/, ""));
  expect(Object.keys(PRINTED).toSorted()).toEqual(programs.toSorted());
});

describe.each(Object.keys(PRINTED))("%s", (name) => {
  const file = join(SRC, `${name}.ts`);

  it("shows its events", async () => {
    const { main } = (await import(file)) as Program;
    const printed: string[] = [];
    await main((line) => printed.push(line));
    expect(printed.map(stable)).toEqual(PRINTED[name]);
  });

  it("runs by itself, and ends", async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file]);
    expect(stderr).toBe("");
    expect(stdout.trimEnd().split("\n").map(stable)).toEqual(PRINTED[name]);
  });
});

function stable(line: string): string {
  return line.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:PORT");
}
