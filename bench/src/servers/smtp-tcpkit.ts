// Ours, taking every message and keeping none.
import { serveSmtp } from "@tcpkit/smtp-lite";
import { announce } from "./announce.ts";

const server = await serveSmtp({
  onMessage: (_envelope, body) => body.consume(() => {}),
});
announce(server.port);
