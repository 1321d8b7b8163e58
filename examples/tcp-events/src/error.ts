// The chapter's listing of the connection event `error`.
// True: a reset gives `error`, then `close`, and no `end`. In plain `net` an `error` that nobody listens to ends the
// process, so that one client's reset kills a server; here it ends its own connection. So does a listener that throws.
import { once } from "node:events";
import { connect, listen } from "@tcpkit/core";
import type { CloseReason, Connection, Listener } from "@tcpkit/core";

export async function main(print: (line: string) => void): Promise<void> {
  await using server = await listen();

  const heard = await pairWith(server);
  heard.connection.on("end", () => print("server: end"));
  heard.connection.on("error", (error) => print(`server: error ${error.code}`));
  heard.client.reset();
  print(`server: close (${(await closed(heard.connection)).kind})`);

  const unheard = await pairWith(server);
  unheard.client.reset();
  print(
    `server: close (${(await closed(unheard.connection)).kind}), nobody listened to \`error\`, and we go on`,
  );

  const buggy = await pairWith(server);
  buggy.connection.on("error", (error) => print(`server: error ${error.code}: ${String(error.cause)}`));
  buggy.connection.on("data", (chunk) => print(JSON.parse(chunk.toString())));
  buggy.client.write("{ not JSON");
  print(`server: close (${(await closed(buggy.connection)).kind}), and we go on`);
}

/** A new client, and the server's end of it. */
async function pairWith(server: Listener): Promise<{ client: Connection; connection: Connection }> {
  const accepted = once(server, "connection") as Promise<[Connection]>;
  const client = await connect({ port: server.port });
  const [connection] = await accepted;
  return { client, connection };
}

/** Not `events.once`: that listens to `error` as well. */
function closed(connection: Connection): Promise<CloseReason> {
  return new Promise((resolve) => {
    connection.once("close", resolve);
  });
}

if (import.meta.main) await main(console.log);
