// The chapter's tcp-server.js: greet each client, answer its `data`, notice its `end`.
// True: `data` is a chunk of a byte stream, not a message, and `end` is the client's doing, never our own.
// With a port it serves until Ctrl-C: `node examples/tcp-events/src/tcp-server.ts 1337`, and then `nc 127.0.0.1 1337`.
import { once } from "node:events";
import { connect, formatAddress, listen } from "@tcpkit/core";
import type { Listener } from "@tcpkit/core";

/** The server alone. `port` 0 is any free one. */
export async function tcpServer(print: (line: string) => void, port = 0): Promise<Listener> {
  const server = await listen({ port });
  server.on("connection", (connection) => {
    connection.write("Welcome!\r\n");
    connection.on("data", (chunk) => {
      // Good enough to print; `data.ts` shows how text must be decoded.
      print(`server: data ${JSON.stringify(chunk.toString())}`);
      connection.write("You sent ");
      connection.write(chunk);
    });
    connection.on("end", () => print("server: the client has ended its side"));
    connection.on("close", (reason) => print(`server: closed (${reason.kind})`));
  });
  return server;
}

/** The server with a client of its own, once through. */
export async function main(print: (line: string) => void): Promise<void> {
  await using server = await tcpServer(print);
  const client = await connect({ port: server.port });
  const [greeting] = (await once(client, "data")) as [Buffer];
  print(`client: data ${JSON.stringify(greeting.toString())}`);

  client.write("hello\r\n");
  let answer = "";
  client.on("data", (chunk) => {
    answer += chunk.toString();
    // The answer may come in pieces: it is whole when its line is.
    if (!answer.endsWith("\n")) return;
    print(`client: data ${JSON.stringify(answer)}`);
    client.end();
  });
  await once(client, "close");
}

if (import.meta.main) {
  const port = process.argv[2];
  if (port === undefined) {
    await main(console.log);
  } else {
    const server = await tcpServer(console.log, Number(port));
    console.log(`listening on ${formatAddress(server.address)}; Ctrl-C stops`);
    process.once("SIGINT", () => void server.close());
  }
}
