// The chapter's listing of the connection event `end`, which says that it comes when "either end" sends its FIN.
// True: it comes when the *other* end has sent its FIN, and only after everything before that has been read. Calling
// `end()` oneself causes no `end` here. By default our side is then ended too: after the listener, so that a last
// word can still be written in it (plain `net` ends it before, and loses such a word).
import { once } from "node:events";
import { connect, listen } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";

export async function main(print: (line: string) => void): Promise<void> {
  await using server = await listen();
  server.on("connection", (connection) => {
    // Nothing is read yet: the FIN that waits behind the data cannot be seen either.
    connection.pause();
    connection.on("data", (chunk) => print(`server: data ${JSON.stringify(chunk.toString())}`));
    connection.on("end", () => {
      print("server: end");
      connection.write("and goodbye");
    });
  });

  const accepted = once(server, "connection") as Promise<[Connection]>;
  const client = await connect({ port: server.port });
  client.on("data", (chunk) => print(`client: data ${JSON.stringify(chunk.toString())}`));
  client.on("end", () => print("client: end"));
  client.write("that is all");
  client.end();
  print("client: I have called end(), and that was no `end` event of mine");

  const [connection] = await accepted;
  print("server: now I read");
  connection.resume();
  await once(client, "close");
}

if (import.meta.main) await main(console.log);
