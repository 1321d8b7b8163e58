// The client towards Postfix's smtp-sink, which refuses, disconnects or stalls at a chosen command.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "@tcpkit/core";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import type { SendMailOptions, SmtpError } from "../src/index.ts";
import { connectSmtp, sendMail } from "../src/index.ts";
import { withTool } from "./tools.ts";

let folder = "";
let sinks: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "smtp-lite-sink-"));
  // As root, smtp-sink becomes somebody else first.
  chmodSync(folder, 0o777);
});
afterEach(() => {
  for (const child of sinks) child.kill();
  sinks = [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;

/** Starts one; resolves with its socket once it accepts. */
async function sink(...options: string[]): Promise<string> {
  count += 1;
  const path = join(folder, `${count}.sock`);
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const env = { ...process.env, PATH: `${process.env["PATH"]}${delimiter}/usr/sbin` };
  const child = spawn("smtp-sink", [...user, ...options, `unix:${path}`, "16"], { env, stdio: "ignore" });
  sinks.push(child);
  while (child.exitCode === null) {
    const connection = await connect({ path }).catch(() => undefined);
    if (connection !== undefined) {
      connection.destroy();
      return path;
    }
    await delay(5);
  }
  throw new Error(`smtp-sink ${options.join(" ")} ended with exit code ${child.exitCode}`);
}

const MAIL = { from: "a@b.example", to: "c@d.example", data: "x\r\n" } as const;

/** What became of a message, in a word or two. */
async function outcome(path: string, options: Partial<SendMailOptions> = {}): Promise<string> {
  try {
    const { reply } = await sendMail({ path, ...MAIL, ...options });
    return `sent ${reply.code}`;
  } catch (error) {
    const { code, reply, attempt } = error as SmtpError;
    return [code, ...(reply ? [reply.code] : []), ...(attempt ? [attempt.outcome] : [])].join(" ");
  }
}

describe("smtp-sink", () => {
  const test = withTool("smtp-sink");
  test.each([
    ["-f CONNECT", "refused 500"],
    ["-f EHLO", "sent 250"],
    ["-f EHLO,HELO", "refused 500"],
    ["-f MAIL", "refused 500 not-accepted"],
    ["-f RCPT", "refused 500 not-accepted"],
    ["-f DATA", "refused 500 not-accepted"],
    ["-f .", "refused 500 not-accepted"],
    ["-f QUIT", "sent 250"],
    ["-r CONNECT", "refused 450"],
    ["-r EHLO", "refused 450"],
    ["-r MAIL", "refused 450 not-accepted"],
    ["-r RCPT", "refused 450 not-accepted"],
    ["-r DATA", "refused 450 not-accepted"],
    ["-r .", "refused 450 not-accepted"],
    ["-q CONNECT", "connection-closed"],
    ["-q EHLO", "connection-closed"],
    ["-q MAIL", "connection-closed not-accepted"],
    ["-q RCPT", "connection-closed not-accepted"],
    ["-q DATA", "connection-closed not-accepted"],
    ["-q .", "connection-closed unknown"],
    ["-q QUIT", "sent 250"],
    ["-Q CONNECT", "refused 421"],
    ["-Q EHLO", "refused 421"],
    ["-Q MAIL", "connection-closed 421 not-accepted"],
    ["-Q RCPT", "connection-closed 421 not-accepted"],
    ["-Q DATA", "connection-closed 421 not-accepted"],
    ["-Q .", "connection-closed 421 not-accepted"],
    ["-Q QUIT", "sent 250"],
    ["-A 0", "refused 550 not-accepted"],
    ["-e", "sent 250"],
    ["-p", "sent 250"],
    ["-P", "sent 250"],
  ])("%s: %s", async (option, expected) => {
    expect(await outcome(await sink(...option.split(" ")))).toBe(expected);
  });

  test("a long stream that is refused in the middle ends", async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield await Promise.resolve(Buffer.from(`${"x".repeat(70)}\r\n`.repeat(500)));
    }
    expect(await outcome(await sink("-A", "0"), { data: endless() })).toMatch(
      /^(refused 550|connection-closed) not-accepted$/,
    );
  });

  test("without 8BITMIME 8-bit content is not sent", async () => {
    expect(await outcome(await sink("-8"), { data: "é" })).toBe("not-offered");
  });

  test("a server that says nothing is a timeout, by the deadline of a reply", async () => {
    const path = await sink("-H", "30");
    const data = "x\r\n";
    expect(await outcome(path, { data, deadlines: { end: 200 } })).toBe("timeout unknown");
  });

  test("LMTP, three recipients; and what -f . says of each", async () => {
    const lmtp = { protocol: "lmtp", to: ["c@d.example", "e@d.example", "f@d.example"] } as const;
    const { accepted } = await sendMail({ path: await sink("-L"), ...MAIL, ...lmtp });
    expect(accepted).toEqual(lmtp.to);
    expect(await outcome(await sink("-L", "-f", "."), lmtp)).toBe("refused 500 not-accepted");
  });

  test("500 messages on one connection, and when it ends in the middle, each knows", async () => {
    await using client = await connectSmtp({ path: await sink() });
    const results = await Promise.all(Array.from({ length: 500 }, () => client.send(MAIL)));
    expect(results.every(({ reply }) => reply.code === 250)).toBe(true);
    // It ends itself after 20 messages.
    await using other = await connectSmtp({ path: await sink("-M", "20") });
    const settled = await Promise.allSettled(Array.from({ length: 50 }, () => other.send(MAIL)));
    const sent = settled.findIndex(({ status }) => status === "rejected");
    expect(
      settled
        .slice(sent)
        .every(
          (result) =>
            result.status === "rejected" && (result.reason as SmtpError).code === "connection-closed",
        ),
    ).toBe(true);
    expect(sent).toBeGreaterThanOrEqual(19);
  });
});
