// The chapter's listing of the server event `connection`: greet each client.
// True: when it comes, the kernel has long finished the three-way handshake. The event says that our process has
// *accepted* the connection; the client has been connected since before, even while our process could do nothing.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { listen } from "@tcpkit/core";

/** A client in a thread of its own: it says "connected" through shared memory, and then what it was sent. */
const CLIENT = `
  const { parentPort, workerData: { port, connected } } = require("node:worker_threads");
  const socket = require("node:net").connect(port, "127.0.0.1", () => {
    Atomics.store(connected, 0, 1);
    Atomics.notify(connected, 0);
  });
  socket.once("data", (data) => {
    parentPort.postMessage(data.toString());
    socket.end();
  });
`;

export async function main(print: (line: string) => void): Promise<void> {
  await using server = await listen();
  server.on("connection", (connection) => {
    print(`server: connection from ${connection.remote?.kind === "tcp" ? connection.remote.host : "?"}`);
    connection.write("Welcome!\r\n");
  });

  const connected = new Int32Array(new SharedArrayBuffer(4));
  const client = new Worker(CLIENT, { eval: true, workerData: { port: server.port, connected } });
  // This thread stops dead here: no event can reach the server until the client is connected.
  Atomics.wait(connected, 0, 0);
  print("client: connected, and the server has not even looked");

  const [greeting] = (await once(client, "message")) as [string];
  print(`client: data ${JSON.stringify(greeting)}`);
  await once(client, "exit");
}

if (import.meta.main) await main(console.log);
