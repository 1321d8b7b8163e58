// Ours: `connectSmtp` for connections that stay, `sendMail` for new ones.
import { connectSmtp, sendMail } from "@tcpkit/smtp-lite";
import type { SendMailResult } from "@tcpkit/smtp-lite";
import { BATCH, FROM, mailing, TO } from "./send.ts";
import { work } from "./work.ts";

const options = mailing();
const { port, connections, keep } = options;
const mail = { from: FROM, to: TO, data: options.message };
const count = keep ? connections : 0;
const clients = await Promise.all(Array.from({ length: count }, () => connectSmtp({ port })));
const senders: (() => Promise<SendMailResult>)[] = keep
  ? clients.map((client) => () => client.send(mail))
  : Array.from({ length: connections }, () => () => sendMail({ port, ...mail }));

await work(options, async () => {
  await Promise.all(
    senders.map(async (send) => {
      for (let sent = 0; sent < BATCH; sent += 1) await send();
    }),
  );
  return senders.length * BATCH;
});
for (const client of clients) await client.close();
