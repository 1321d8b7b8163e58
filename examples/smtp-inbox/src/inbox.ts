// An SMTP inbox that prints who writes and about what: `node examples/smtp-inbox/src/inbox.ts [PORT]`.
// It keeps nothing. A real one would answer 250 only when the message is safely kept: what `onMessage` resolves to.
import { formatAddress } from "@tcpkit/core";
import type { Listener, ListenOptions } from "@tcpkit/core";
import { serveSmtp } from "@tcpkit/smtp-lite";
import { readSubject } from "./subject.ts";

/** Serves the inbox: one call of `print` for each message that has come whole. @throws TcpError as `listen`. */
export function serveInbox(print: (line: string) => void, options: ListenOptions = {}): Promise<Listener> {
  return serveSmtp(
    {
      async onMessage(envelope, body) {
        // Throws when the client leaves in the middle: half a message is no message.
        const subject = await readSubject(body);
        const from = envelope.from?.address ?? "<> (a bounce)";
        const to = envelope.to.map(({ address }) => address).join(", ");
        print(printable(`${from} to ${to}: ${subject ?? "(no subject)"}`));
      },
    },
    options,
  );
}

/** A stranger chose these characters, and a terminal obeys some of them. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\u{FFFD}");
}

if (import.meta.main) {
  const inbox = await serveInbox(console.log, { port: Number(process.argv[2] ?? 2525) });
  console.log(`the inbox listens on ${formatAddress(inbox.address)}; Ctrl-C stops`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void inbox.close());
}
