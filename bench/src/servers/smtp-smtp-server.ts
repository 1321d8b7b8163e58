// npm's smtp-server, taking every message and keeping none.
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { announce } from "./announce.ts";

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["AUTH", "STARTTLS"],
  // Ours asks no name server either.
  disableReverseLookup: true,
  onData(stream, _session, done) {
    stream.resume();
    stream.on("end", () => done());
  },
});
server.on("error", () => {});
server.listen(0, "127.0.0.1", () => announce((server.server.address() as AddressInfo).port));
