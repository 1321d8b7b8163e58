// The SMTP bench: messages taken and thrown away, in small and large, over kept and over new connections.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { Bench, Scenario } from "../bench.ts";
import { smtpSource } from "../load/smtp-source.ts";
import { has } from "../pin.ts";

const KIB = 1024;
const SESSIONS = 32;
/** smtp-sink refuses to run as root. */
const asNobody = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
const hasSource = has("smtp-source");

const SCENARIOS: readonly Scenario[] = [
  {
    type: "speed",
    name: "kept",
    title: `messages of 10 KiB, ${SESSIONS} connections that stay open`,
    unit: "messages",
    run: (port, seconds) =>
      smtpSource(port, seconds, { size: 10 * KIB, sessions: SESSIONS, batch: 5000, keep: true }),
  },
  {
    type: "speed",
    name: "new",
    title: `messages of 10 KiB, ${SESSIONS} connections at once, a new one for each message`,
    unit: "messages",
    run: (port, seconds) =>
      smtpSource(port, seconds, { size: 10 * KIB, sessions: SESSIONS, batch: 2000, keep: false }),
  },
  {
    type: "speed",
    name: "large",
    title: "messages of 1 MiB, 4 connections that stay open",
    unit: "messages",
    run: (port, seconds) =>
      smtpSource(port, seconds, { size: KIB * KIB, sessions: 4, batch: 200, keep: true }),
  },
];

export const smtp: Bench = {
  name: "smtp",
  title: "Mail taken and thrown away",
  contestants: [
    { name: "@tcpkit/smtp-lite", type: "script", file: "smtp-tcpkit.ts" },
    {
      name: "Postfix smtp-sink (C)",
      type: "program",
      command: (port) => ["smtp-sink", ...asNobody, `127.0.0.1:${port}`, "1024"],
    },
  ],
  scenarios: hasSource ? SCENARIOS : [],
  targets: [
    { scenario: "kept", peer: "Postfix smtp-sink (C)", atLeast: 1.3 },
    { scenario: "new", peer: "Postfix smtp-sink (C)", atLeast: 0.9 },
    { scenario: "large", peer: "Postfix smtp-sink (C)", atLeast: 2.5 },
  ],
  missing: hasSource
    ? []
    : [{ name: "smtp-source", why: "not installed (it comes with Postfix): nothing can be measured" }],
  async check(port) {
    const socket = connect(port, "127.0.0.1");
    socket.write("QUIT\r\n");
    assert.match(await text(socket), /^220 .*\r\n221 /);
  },
};
