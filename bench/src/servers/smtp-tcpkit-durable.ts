// Ours, keeping every message as a file of the folder that its only argument names, as `tcpkit smtp --data` does.
import { openMailDirectory, serveSmtp } from "@tcpkit/smtp-lite";
import { announce } from "./announce.ts";

const mail = await openMailDirectory(process.argv[2] ?? "");
const server = await serveSmtp({
  onMessage: (envelope, body) => mail.write(envelope, body),
});
announce(server.port);
