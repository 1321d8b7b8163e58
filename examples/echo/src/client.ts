// An echo client: `node examples/echo/src/client.ts [PORT]` sends what you type and prints what comes back.
// It shows backpressure by hand, in both directions: whoever writes to a slow side stops reading from the fast one.
import type { Readable, Writable } from "node:stream";
import { connect } from "@tcpkit/core";
import type { CloseReason, ConnectOptions } from "@tcpkit/core";

/**
 * Sends `input` to an echo server and writes what comes back to `output`. Resolves when all of it has come back.
 * @throws TcpError as `connect`. @throws Error when the connection closes before that.
 */
export async function echoThrough(input: Readable, output: Writable, options: ConnectOptions): Promise<void> {
  const connection = await connect(options);
  input.on("data", (chunk: Buffer) => {
    if (!connection.write(chunk)) input.pause();
  });
  connection.on("drain", () => input.resume());
  connection.on("data", (chunk) => {
    if (!output.write(chunk)) connection.pause();
  });
  const resume = (): void => connection.resume();
  output.on("drain", resume);
  // Our end comes first, the server's when it has sent everything back: then the reason is `local`.
  input.on("end", () => connection.end());
  const reason = await new Promise<CloseReason>((resolve) => {
    connection.once("close", resolve);
  });
  output.off("drain", resume);
  if (reason.kind === "local") return;
  input.destroy();
  throw new Error(`the connection closed before everything came back (${reason.kind})`);
}

if (import.meta.main) {
  const port = Number(process.argv[2] ?? 7007);
  try {
    await echoThrough(process.stdin, process.stdout, { port });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
