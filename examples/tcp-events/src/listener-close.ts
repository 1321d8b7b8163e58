// The chapter's listing of the server event `close`: close a server while clients are connected.
// True: `close()` stops accepting at once, but `close` comes only when the last connection is gone, and in plain
// `net` one idle client puts that off for ever. Here `close()` ends our side of every connection (clients in good
// order then go), and at the deadline it cuts the rest.
import { once } from "node:events";
import { connect, listen, TcpError } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";

export async function main(print: (line: string) => void): Promise<void> {
  const server = await listen();
  const { port } = server;
  server.on("close", () => print("server: close"));

  // By default a client ends when the server ends. This one does.
  const accepted = once(server, "connection") as Promise<[Connection]>;
  await connect({ port });
  const [polite] = await accepted;
  polite.on("close", (reason) => print(`server: the polite client is gone (${reason.kind})`));

  // This one stays.
  const acceptedToo = once(server, "connection") as Promise<[Connection]>;
  const client = await connect({ port, allowHalfOpen: true });
  const [stubborn] = await acceptedToo;
  stubborn.on("close", (reason) => print(`server: the stubborn client is gone (${reason.kind})`));

  const politeGone = once(polite, "close");
  const closing = server.close({ deadline: 300 });
  print(`server: close() called, ${server.connections.size} connections are open`);
  await politeGone;
  try {
    await connect({ port });
  } catch (error) {
    if (!(error instanceof TcpError)) throw error;
    print(`a third client: ${error.code}`);
  }

  const { drained, cut } = await closing;
  print(`server: ${drained} drained, ${cut} cut at the deadline`);
  client.destroy();
}

if (import.meta.main) await main(console.log);
