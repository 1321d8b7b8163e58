// The chapter's listing of the connection event `timeout`.
// True: it is a notice and closes nothing, and any byte puts it off, so that a client which drips one now and then is
// never idle and never done. Against that helps a deadline for the whole message, which bytes do not move.
import { once } from "node:events";
import { connect, lines, listen, serve } from "@tcpkit/core";
import type { CloseReason, Connection } from "@tcpkit/core";

/** Milliseconds. */
const IDLE = 400;
const MESSAGE = 800;
const DRIP = 20;

export async function main(print: (line: string) => void): Promise<void> {
  await using server = await listen({ idleTimeout: IDLE });
  const accepted = once(server, "connection") as Promise<[Connection]>;
  const silent = await connect({ port: server.port });
  const [connection] = await accepted;
  silent.on("data", (chunk) => silent.write(`still here, you said ${chunk.toString()}`));
  await once(connection, "timeout");
  print(`silent client: timeout, and the connection is ${connection.closed ? "closed" : "open"}`);
  connection.write("anybody?");
  const [answer] = (await once(connection, "data")) as [Buffer];
  print(`silent client: ${answer.toString()}`);
  connection.close({ kind: "timeout" });

  // The same drip, at the same time, into a server with an idle timeout and into one with a message deadline.
  let timeouts = 0;
  server.once("connection", (dripped) => {
    dripped.on("timeout", () => {
      timeouts += 1;
    });
  });
  const idle = await connect({ port: server.port });
  await using strict = await serve(lines(), (line) => line.text, { deadlines: { message: MESSAGE } });
  const closing = once(strict, "connection") as Promise<[Connection]>;
  const bounded = await connect({ port: strict.port });
  const drip = setInterval(() => {
    idle.write("x");
    bounded.write("x");
  }, DRIP);
  const [judged] = await closing;
  const [reason] = (await once(judged, "close")) as [CloseReason];
  clearInterval(drip);
  print(`dripping client, message deadline: closed (${reason.kind})`);
  print(`dripping client, idle timeout: ${timeouts} timeouts, ${idle.closed ? "closed" : "open"}`);
  idle.end();
}

if (import.meta.main) await main(console.log);
