// The chapter's listing of the connection event `close`.
// True: it comes exactly once, last, when nothing of the connection is left. Plain `net` says only whether there was
// an error; here there is one typed reason: each line below is another way to close.
import { once } from "node:events";
import { connect, lines, listen, serve } from "@tcpkit/core";
import type { CloseReason, Connection, Listener } from "@tcpkit/core";

type Close = (client: Connection, connection: Connection) => void;

export async function main(print: (line: string) => void): Promise<void> {
  await using server = await listen();
  const show = async (how: string, close: Close): Promise<void> => {
    print(`${how}: ${(await closeReason(server, close)).kind}`);
  };
  await show("the client ends", (client) => client.end());
  await show("the server ends", (_client, connection) => connection.end());
  await show("the client resets", (client) => client.reset());
  await show("the server destroys", (_client, connection) => connection.destroy());
  await show("the server has waited enough", (_client, connection) => {
    connection.setTimeout(100);
    connection.on("timeout", () => connection.close({ kind: "timeout" }));
  });

  // A protocol on top closes a connection whose bytes make no sense to it.
  await using strict = await serve(lines({ maxLength: 80 }), (line) => line.text);
  const reason = await closeReason(strict, (client) => client.write("x".repeat(81)));
  print(`the client breaks the protocol: ${reason.kind}`);
  if (reason.kind === "protocol") print(`and the reason has a cause: ${reason.cause.message}`);
}

/** Opens a connection, closes it in one way or another, and gives the reason that the server hears. */
async function closeReason(server: Listener, close: Close): Promise<CloseReason> {
  const accepted = once(server, "connection") as Promise<[Connection]>;
  const client = await connect({ port: server.port });
  const [connection] = await accepted;
  return new Promise((resolve) => {
    connection.once("close", resolve);
    close(client, connection);
  });
}

if (import.meta.main) await main(console.log);
