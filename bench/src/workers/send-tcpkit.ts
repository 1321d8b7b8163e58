// Ours: `connectSmtp` for connections that stay, `sendMail` for new ones.
import { connectSmtp, sendMail } from "@tcpkit/smtp-lite";
import { BATCH, FROM, mailing, TO } from "./send.ts";
import { work } from "./work.ts";

const options = mailing();
const { port, connections, keep } = options;
const mail = { from: FROM, to: TO, data: options.message };
const count = keep ? connections : 0;
const clients = await Promise.all(Array.from({ length: count }, () => connectSmtp({ port })));
/** Kept connections are given a whole batch at once, and pipeline it; new ones send a message each. */
const sendBatch = keep
  ? clients.map((client) => (): Promise<unknown> => Promise.all(batch(() => client.send(mail))))
  : Array.from({ length: connections }, () => async (): Promise<void> => {
      for (let sent = 0; sent < BATCH; sent += 1) await sendMail({ port, ...mail });
    });

function batch<Value>(make: () => Value): Value[] {
  return Array.from({ length: BATCH }, make);
}

await work(options, async () => {
  await Promise.all(sendBatch.map((send) => send()));
  return sendBatch.length * BATCH;
});
for (const client of clients) await client.close();
