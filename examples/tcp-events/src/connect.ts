// The chapter's listing of the client event `connect`.
// True: only the client has it. What is written before it waits and leaves then. It comes once the kernels have
// shaken hands, whether or not the server's program has looked; when nobody listens, `error` and `close` come instead.
import { once } from "node:events";
import { connect, formatAddress, listen, open, TcpError } from "@tcpkit/core";

export async function main(print: (line: string) => void): Promise<void> {
  const server = await listen();
  const { port } = server;
  server.on("connection", (connection) => {
    connection.on("data", (chunk) => connection.write(`you said ${chunk.toString()}`));
  });

  // `open` returns at once, as `net.createConnection` does.
  const client = open({ port });
  client.on("connect", () => print("client: connect"));
  client.on("data", (chunk) => {
    print(`client: data ${JSON.stringify(chunk.toString())}`);
    client.end();
  });
  client.on("close", (reason) => print(`client: close (${reason.kind})`));
  client.write("hello");
  print("client: written, though not connected");
  await once(client, "close");
  await server.close();

  const late = open({ port });
  late.on("connect", () => print("late client: connect"));
  late.on("error", (error) => print(`late client: error, the cause is ${codeOf(error.cause)}`));
  const closed = Promise.withResolvers<void>();
  late.on("close", (reason) => {
    print(`late client: close (${reason.kind})`);
    closed.resolve();
  });
  await closed.promise;

  // `connect` waits for the event, or throws.
  try {
    await connect({ port });
  } catch (error) {
    if (!(error instanceof TcpError)) throw error;
    print(
      `connect(): ${error.code}, nobody listens on ${formatAddress({ kind: "tcp", host: "127.0.0.1", port })}`,
    );
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
}

if (import.meta.main) await main(console.log);
