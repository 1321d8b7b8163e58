// Ours, keeping every message as a file of the folder that its only argument names, as `tcpkit smtp --data` does.
import { serveSmtp, writeMessage } from "@tcpkit/smtp-lite";
import { announce } from "./announce.ts";

const folder = process.argv[2] ?? "";
const server = await serveSmtp({
  onMessage: (envelope, body) => writeMessage(folder, envelope, body),
});
announce(server.port);
