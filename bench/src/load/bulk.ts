// Load of one connection that sends as fast as its bytes come back. A script of its own, run as `round-trips.ts` is;
// an operation is one MiB that has come back.
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Bulk {
  readonly port: number;
  readonly seconds: number;
}

const { port, seconds } = JSON.parse(process.argv[2] ?? "{}") as Bulk;
const piece = Buffer.alloc(65_536, "tcpkit");
let received = 0;

const onread = {
  buffer: Buffer.allocUnsafe(262_144),
  callback(bytes: number): boolean {
    received += bytes;
    return true;
  },
};
const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
await once(socket, "connect");

function fill(): void {
  while (socket.write(piece));
}

socket.on("drain", fill);
const start = performance.now();
fill();
await sleep(seconds * 1000);
console.log(
  JSON.stringify({ operations: received / 1_048_576, seconds: (performance.now() - start) / 1000 }),
);
socket.destroy();
