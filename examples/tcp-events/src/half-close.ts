// What the chapter's `end` leaves out: each direction of a connection ends by itself. With `allowHalfOpen` a server
// may answer after the client has ended, as for `printf 'some words' | nc -N host port`: here it counts the words.
// True: with plain `net`'s defaults the reply would be lost without an error, because `net` ends our side at once.
import { once } from "node:events";
import { connect, listen } from "@tcpkit/core";

export async function main(print: (line: string) => void): Promise<void> {
  await using server = await listen({ allowHalfOpen: true });
  server.on("connection", (connection) => {
    const decoder = new TextDecoder();
    let text = "";
    connection.on("data", (chunk) => {
      text += decoder.decode(chunk, { stream: true });
    });
    connection.on("end", () => {
      print("server: the client has ended, now I count");
      // Later, as after a query to a database: our side is still open. Ending it is ours to do.
      setImmediate(() => {
        connection.write(`${text.trim().split(/\s+/).length} words`);
        connection.end();
      });
    });
  });

  const client = await connect({ port: server.port });
  client.on("data", (chunk) => print(`client: data ${JSON.stringify(chunk.toString())}`));
  client.write("the quick brown fox ");
  client.write("jumps");
  client.end();
  await once(client, "close");
}

if (import.meta.main) await main(console.log);
