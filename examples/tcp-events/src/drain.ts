// The chapter's listing of the connection event `drain`, which says that it follows any write of either end.
// True: it is about *our own* buffer, and comes only after `write()` has returned `false` and the buffer has emptied.
// The chapter's 1,000 small writes fit, so they cause none, nor does anything that the peer writes.
import { once } from "node:events";
import { connect, listen } from "@tcpkit/core";
import type { Connection } from "@tcpkit/core";

const MEBIBYTE = 1 << 20;

export async function main(print: (line: string) => void): Promise<void> {
  await using server = await listen();
  const accepted = once(server, "connection") as Promise<[Connection]>;
  const client = await connect({ port: server.port });
  const [connection] = await accepted;
  let drains = 0;
  connection.on("drain", () => {
    drains += 1;
  });

  // The chapter's loop. The peer writes as well.
  client.write("a few words of the peer's");
  let small = 0;
  let refused = 0;
  for (let i = 0; i < 1000; i++) {
    const block = `block ${i};`;
    small += block.length;
    if (!connection.write(block)) refused += 1;
  }
  await received(client, small);
  print(`1,000 small writes: write() was false ${refused} times, drain came ${drains} times`);

  // The loop that respects `false`: whatever the peer's pace, at most a buffer's worth waits in our memory.
  const block = Buffer.alloc(65_536);
  const all = received(client, small + 16 * MEBIBYTE);
  let most = 0;
  for (let sent = 0; sent < 16 * MEBIBYTE; sent += block.length) {
    const more = connection.write(block);
    most = Math.max(most, connection.bytesBuffered);
    if (more) continue;
    refused += 1;
    await once(connection, "drain");
  }
  await all;
  print(`16 MiB in large writes: each false was followed by one drain: ${refused > 0 && refused === drains}`);
  print(`at most ${most / 1024} KiB waited in our buffer`);
  client.end();
}

/** Resolves when the connection has received `total` bytes since it was opened. */
function received(connection: Connection, total: number): Promise<void> {
  return new Promise((resolve) => {
    const onData = (): void => {
      if (connection.bytesReceived < total) return;
      connection.off("data", onData);
      resolve();
    };
    connection.on("data", onData);
  });
}

if (import.meta.main) await main(console.log);
