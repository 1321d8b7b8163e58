// The SMTP client bench: messages sent to Postfix's smtp-sink, which throws them away.
import type { WorkBench } from "../bench.ts";
import { has } from "../pin.ts";
import { smtpSink } from "../other-servers.ts";

const CONNECTIONS = 8;
const BYTES = 1024;
const hasSink = has("smtp-sink");

export const smtpClient: WorkBench = {
  type: "workers",
  name: "smtp-client",
  title: "Mail sent",
  contestants: [
    { name: "@tcpkit/smtp-lite", file: "send-tcpkit.ts" },
    { name: "nodemailer", file: "send-nodemailer.ts" },
  ],
  scenarios: hasSink
    ? [
        {
          name: "kept",
          title: `messages of ${BYTES} bytes, ${CONNECTIONS} connections that stay open, several messages waiting`,
          unit: "messages",
          options: { connections: CONNECTIONS, bytes: BYTES, keep: true },
        },
        {
          name: "new",
          title: `messages of ${BYTES} bytes, ${CONNECTIONS} connections at once, a new one for each message`,
          unit: "messages",
          options: { connections: CONNECTIONS, bytes: BYTES, keep: false },
        },
      ]
    : [],
  targets: [
    {
      scenario: "kept",
      peer: "nodemailer",
      atLeast: 6,
      why: "Most of what is left is the write calls: commands and content of a message are two, since the 354 is waited for.",
    },
  ],
  missing: hasSink
    ? []
    : [{ name: "smtp-sink", why: "not installed (it comes with Postfix): nothing can be measured" }],
  ...(hasSink && {
    partner: { name: "smtp-sink", type: "program", command: ({ port }) => smtpSink(port) },
  }),
};
