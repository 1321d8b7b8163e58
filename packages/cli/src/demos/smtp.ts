// The demo SMTP server: takes every mail, keeps it, and tells of it. What goes over the wire is smtp-lite's.
import type { EventLog } from "@tcpkit/core";
import { serveSmtp, SmtpReply } from "@tcpkit/smtp-lite";
import type { Envelope, MailDirectory } from "@tcpkit/smtp-lite";
import { CliError } from "../errors.ts";
import type { Report } from "../events.ts";
import { printable } from "../printable.ts";
import { reasonOf } from "../reason.ts";
import type { Listening } from "../services/service.ts";
import { Mailbox, MailboxFull } from "./mailbox.ts";
import { Summary } from "./summary.ts";

export interface SmtpDemoOptions {
  readonly host: string;
  readonly port: number;
  readonly tap: EventLog | undefined;
  /** Keeps each mail as a file, and is closed with the server; `undefined` keeps the newest in memory. */
  readonly directory: Pick<MailDirectory, "path" | "write" | "close"> | undefined;
  readonly report: Report;
}

type Body = AsyncIterable<Uint8Array>;

/** Puts a mail where it is safe, and gives the file if there is one. When it resolves, the client is told 250. */
type Keep = (envelope: Envelope, body: Body) => Promise<string | undefined>;

/**
 * Serves the demo. Its `close` waits for the files too, as smtp-lite's does: a mail that was cut off is to be taken away again.
 * @throws TcpError as core's `listen`: the directory stays open then. `close` throws CliError when the directory cannot be closed
 * in good order.
 */
export async function serveSmtpDemo(options: SmtpDemoOptions): Promise<Listening> {
  const { host, port, tap, directory, report } = options;
  const keep = directory === undefined ? inMemory(new Mailbox()) : inDirectory(directory);
  const onMessage = async (envelope: Envelope, body: Body): Promise<void> => {
    const summary = new Summary();
    const file = await keep(envelope, watched(body, summary));
    report({
      event: "message",
      service: "smtp",
      time: new Date().toISOString(),
      from: printable(envelope.from?.address ?? ""),
      to: envelope.to.map(({ address }) => printable(address)),
      size: summary.size,
      subject: summary.subject,
      ...(file === undefined ? {} : { file }),
    });
  };
  const onError = (error: unknown): void => {
    report({ event: "failed", service: "smtp", reason: printable(reasonOf(error)) });
  };
  const listener = await serveSmtp({ onMessage }, { host, port, tap, onError });
  const close: Listening["close"] = async (drain) => {
    const result = await listener.close(drain);
    await directory?.close().catch((cause: unknown) => {
      const parameters = { directory: directory.path, reason: reasonOf(cause) };
      throw new CliError(1, "error.data-not-closed", parameters, cause);
    });
    return result;
  };
  return { host: listener.host, port: listener.port, close };
}

function inDirectory(directory: Pick<MailDirectory, "write">): Keep {
  return (envelope, body) => directory.write(envelope, body);
}

function inMemory(mailbox: Mailbox): Keep {
  return async ({ received }, body) => {
    const draft = mailbox.draft();
    try {
      draft.add(Buffer.from(received));
      for await (const bytes of body) draft.add(bytes);
      draft.keep();
      return undefined;
    } catch (error) {
      draft.drop();
      throw error instanceof MailboxFull ? new SmtpReply(452, "4.3.1", "No room for it just now") : error;
    }
  };
}

/** The same bytes, seen on their way. */
async function* watched(body: Body, summary: Summary): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const bytes of body) {
    summary.add(bytes);
    yield bytes;
  }
}
