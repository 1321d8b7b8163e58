// The chapter's listing of the connection event `data`: "the data that write() sent".
// True: TCP carries bytes, not writes. Two writes may come as one chunk, one write as many, and a chunk may end in
// the middle of a character: decode text with one `TextDecoder` for each connection, never chunk by chunk.
import { once } from "node:events";
import { connect, listen } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";

export async function main(print: (line: string) => void): Promise<void> {
  await using server = await listen();
  const accepted = once(server, "connection") as Promise<[Connection]>;
  const client = await connect({ port: server.port });
  const [connection] = await accepted;

  client.write("one,");
  client.write("two");
  print(`two writes came as ${JSON.stringify((await read(connection, 7)).map(String))}`);

  client.write(Buffer.alloc(1_000_000));
  const chunks = await read(connection, 1_000_000);
  print(`one write of 1,000,000 bytes came as ${chunks.length > 1 ? "several chunks" : "one chunk"}`);

  const text = Buffer.from("你好");
  const decoder = new TextDecoder();
  let wrong = "";
  let right = "";
  // Sends 4 of the 6 bytes, waits until they have arrived, sends the rest.
  for (const part of [text.subarray(0, 4), text.subarray(4)]) {
    client.write(part);
    for (const chunk of await read(connection, part.length)) {
      wrong += chunk.toString();
      right += decoder.decode(chunk, { stream: true });
    }
  }
  print(`decoded chunk by chunk: ${wrong}`);
  print(`decoded as one stream: ${right}`);
  client.end();
}

/** The chunks in which the next `length` bytes arrive. */
function read(connection: Connection, length: number): Promise<Buffer[]> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let missing = length;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      missing -= chunk.length;
      if (missing > 0) return;
      connection.off("data", onData);
      resolve(chunks);
    };
    connection.on("data", onData);
  });
}

if (import.meta.main) await main(console.log);
