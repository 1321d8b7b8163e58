// Ours, taking every message and keeping none.
import { serveSmtp } from "@tcpkit/smtp-lite";
import { announce } from "./announce.ts";

const server = await serveSmtp({
  async onMessage(_envelope, body) {
    for await (const _bytes of body);
  },
});
announce(server.port);
