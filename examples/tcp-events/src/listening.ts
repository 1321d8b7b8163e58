// The chapter's listing of the server event `listening`.
// True: it comes when the port (or Unix socket) is bound, and only then is there an address: with port 0 the kernel
// has just chosen one. From here on the kernel completes handshakes, whether or not we have accepted anybody yet.
import { connect, createListener, formatAddress, listen, TcpError } from "@tcpkit/core";

export async function main(print: (line: string) => void): Promise<void> {
  const server = createListener({ port: 0 });
  try {
    print(`before: ${formatAddress(server.address)}`);
  } catch (error) {
    // Plain `net` says null here, and `server.address().port` is then a TypeError.
    if (!(error instanceof TcpError)) throw error;
    print(`before: ${error.code}`);
  }

  server.on("listening", (address) => print(`listening on ${formatAddress(address)}`));
  await server.listen();
  const client = await connect({ port: server.port });
  print("a client can connect");
  client.end();
  await server.close();

  // Nobody needs the event: `listen` resolves with a server whose address is known.
  await using short = await listen();
  print(`in short: listening on ${formatAddress(short.address)}`);
}

if (import.meta.main) await main(console.log);
