// nodemailer: a pool for connections that stay, a plain transport for new ones. The message is given as it is, so that
// it is asked to write none.
import { createTransport } from "nodemailer";
import { BATCH, FROM, mailing, TO } from "./send.ts";
import { work } from "./work.ts";

const options = mailing();
const { port, connections, keep } = options;
const server = { host: "127.0.0.1", port, secure: false, ignoreTLS: true } as const;
const transport = keep
  ? createTransport({ ...server, pool: true, maxConnections: connections, maxMessages: Infinity })
  : createTransport(server);
const mail = { envelope: { from: FROM, to: [TO] }, raw: options.message };

/** The pool gets all messages at once, and gives its connections one after the other. */
const sendBatch = keep
  ? (): Promise<unknown> => Promise.all(Array.from({ length: BATCH }, () => transport.sendMail(mail)))
  : async (): Promise<void> => {
      for (let sent = 0; sent < BATCH; sent += 1) await transport.sendMail(mail);
    };

await work(options, async () => {
  await Promise.all(Array.from({ length: connections }, sendBatch));
  return connections * BATCH;
});
transport.close();
