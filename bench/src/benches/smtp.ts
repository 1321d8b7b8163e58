// The SMTP bench: messages taken and thrown away, small and large, over kept and over new connections; and kept for good.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sendMail } from "@tcpkit/smtp-lite";
import type { Scenario, ServerBench } from "../bench.ts";
import { smtpSource } from "../load/smtp-source.ts";
import type { Mail } from "../load/smtp-source.ts";
import { haraka, smtpSink } from "../other-servers.ts";
import { has } from "../pin.ts";

const KIB = 1024;
const MIB = KIB * KIB;
const SESSIONS = 32;
const FEW_SESSIONS = 4;
/** 100 MB, as peak memory is measured in MiB. */
const PEAK = 95;
const hasSource = has("smtp-source");

const OURS = "@tcpkit/smtp-lite";
const DURABLE = "@tcpkit/smtp-lite, durable";
const SINK = "Postfix smtp-sink (C)";
const SMTP_SERVER = "npm smtp-server";
const AIOSMTPD = "aiosmtpd (Python)";

const SINK_WHY =
  "smtp-sink is C and checks nothing; for both the calls that write and read are the largest part.";
const NEW_WHY = "What a connection costs before it has said anything is measured by the bench `accept`.";

const CONTESTANTS: ServerBench["contestants"] = [
  { name: OURS, type: "script", file: "smtp-tcpkit.ts" },
  {
    name: "@tcpkit/smtp-lite, plain read",
    type: "script",
    file: "smtp-tcpkit.ts",
    environment: { TCPKIT_FAST_READ: "off" },
  },
  { name: SMTP_SERVER, type: "script", file: "smtp-smtp-server.ts" },
  {
    name: AIOSMTPD,
    type: "program",
    command: ({ port }) => ["aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Sink", "-l", `127.0.0.1:${port}`],
  },
  { name: "Haraka", type: "program", command: haraka },
  { name: SINK, type: "program", command: ({ port }) => smtpSink(port) },
  { name: DURABLE, type: "script", file: "smtp-tcpkit-durable.ts" },
];

const DISCARDING = CONTESTANTS.map(({ name }) => name).filter((name) => name !== DURABLE);

function scenario(
  name: string,
  title: string,
  mail: Mail,
  options: Partial<Pick<Extract<Scenario, { type: "speed" }>, "fresh" | "only">> = {},
): Scenario {
  const kept = mail.keep ? "that stay open" : "at once, a new one for each message";
  return {
    type: "speed",
    name,
    title: `${title}, ${mail.sessions} connections ${kept}`,
    unit: "messages",
    only: DISCARDING,
    ...options,
    run: (port, seconds) => smtpSource(port, seconds, mail),
  };
}

/** A message of 1 MiB, each line of which begins with a dot, as lines for smtp-source. */
const STUFFED_LINE = `.${"x".repeat(75)}`;

async function withStuffed(port: number, seconds: number): ReturnType<typeof smtpSource> {
  const folder = mkdtempSync(join(tmpdir(), "tcpkit-bench-"));
  try {
    const file = join(folder, "stuffed");
    // On the wire a line has a second dot and CRLF.
    const lines = Math.floor(MIB / (STUFFED_LINE.length + 3));
    writeFileSync(file, `Subject: dots\n\n${`${STUFFED_LINE}\n`.repeat(lines)}`);
    return await smtpSource(port, seconds, { message: { file }, sessions: FEW_SESSIONS, keep: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const SCENARIOS: readonly Scenario[] = [
  scenario("kept", "messages of 10 KiB", { message: 10 * KIB, sessions: SESSIONS, keep: true }),
  scenario("new", "messages of 10 KiB", { message: 10 * KIB, sessions: SESSIONS, keep: false }),
  scenario("large", "messages of 1 MiB", { message: MIB, sessions: FEW_SESSIONS, keep: true }),
  {
    type: "speed",
    name: "dots",
    title: `messages of 1 MiB in which every line begins with a dot, ${FEW_SESSIONS} connections that stay open`,
    unit: "messages",
    only: DISCARDING,
    run: withStuffed,
  },
  scenario("huge", "messages of 20 MiB", { message: 20 * MIB, sessions: 2, keep: true }, { fresh: true }),
  scenario(
    "durable",
    "messages of 10 KiB, each in a file that is on disk before the sender is told so",
    { message: 10 * KIB, sessions: SESSIONS, keep: true },
    // The same process each time, so that its folder is removed after the last turn only: for some minutes ext4 gives away no
    // inode that was freed, and looks for another one by one, so that a file takes ten times as long to be made.
    { only: [OURS, DURABLE] },
  ),
];

export const smtp: ServerBench = {
  type: "servers",
  name: "smtp",
  title: "Mail taken and thrown away",
  contestants: CONTESTANTS,
  scenarios: hasSource ? SCENARIOS : [],
  targets: [
    {
      scenario: "kept",
      peer: SMTP_SERVER,
      atLeast: 2.5,
      // It waits most of the time, and so do its clients: CPU time alone would not show that.
      by: "rate",
      why: "What is left is mostly the calls that read and write, which both have.",
    },
    { scenario: "kept", peer: SINK, atLeast: 1.3, why: SINK_WHY },
    { scenario: "new", peer: AIOSMTPD, atLeast: 6, why: NEW_WHY },
    { scenario: "new", peer: SINK, atLeast: 0.9, why: `${SINK_WHY} ${NEW_WHY}` },
    { scenario: "large", peer: SINK, atLeast: 2.5, why: SINK_WHY },
    {
      scenario: "dots",
      comparedTo: "large",
      atLeast: 0.5,
      why: "Content without a dot to take off is handed on where it lies; here every line is moved.",
    },
    { scenario: "huge", peer: SINK, atLeast: 2.5, why: SINK_WHY },
    {
      scenario: "huge",
      atMost: PEAK,
      of: "peak memory",
      why: "Few chunks are held at once. The rest is Node itself, and garbage that V8 has not collected yet.",
    },
    {
      scenario: "durable",
      contestant: DURABLE,
      peer: OURS,
      atLeast: 0.4,
      by: "rate",
      why: "Each message is a file that is made, written, closed and renamed, and written to the journal too; the thread that does it has the same core here. Only the journal's fdatasync is shared by those that come together.",
    },
  ],
  missing: hasSource
    ? []
    : [{ name: "smtp-source", why: "not installed (it comes with Postfix): nothing can be measured" }],
  async check(port) {
    const from = "me@example.com";
    const to = "you@example.com";
    const { accepted } = await sendMail({ port, from, to, data: "Subject: hello\r\n\r\n.\r\n" });
    assert.deepEqual(accepted, [to]);
  },
};
