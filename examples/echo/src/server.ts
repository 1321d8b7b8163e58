// An echo server (RFC 862) until Ctrl-C: `node examples/echo/src/server.ts [PORT]`. The whole of the protocol is in
// packages/echo; what is left for a program is a port, a sentence for people, and an end in good order.
import { formatAddress } from "@tcpkit/core";
import { serveEcho } from "@tcpkit/echo";

const server = await serveEcho({ port: Number(process.argv[2] ?? 7007) });
console.log(`echo listens on ${formatAddress(server.address)}; Ctrl-C stops`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void server.close());
