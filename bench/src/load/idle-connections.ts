// Load of connections that do nothing: each has sent once and been answered, and then stays. A script of its own: it
// prints `{"operations":…,"seconds":…}` once all stand (an operation is one of them), and closes them when its standard
// input ends.
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";

export interface IdleConnections {
  readonly port: number;
  readonly connections: number;
  /** What each sends: latin1 text. */
  readonly payload: string;
}

/** How many are being opened at once. */
const CONCURRENCY = 64;

const options = JSON.parse(process.argv[2] ?? "{}") as IdleConnections;
const payload = Buffer.from(options.payload, "latin1");
const sockets: Socket[] = [];
const start = performance.now();
let started = 0;

async function run(): Promise<void> {
  while (started < options.connections) {
    started += 1;
    const socket = connect({ port: options.port, host: "127.0.0.1", noDelay: true });
    socket.write(payload);
    await once(socket, "data");
    socket.on("close", () => {
      throw new Error("the server closed an idle connection");
    });
    sockets.push(socket);
  }
}

await Promise.all(Array.from({ length: CONCURRENCY }, run));
console.log(JSON.stringify({ operations: sockets.length, seconds: (performance.now() - start) / 1000 }));
await once(process.stdin.resume(), "end");
for (const socket of sockets) {
  socket.removeAllListeners("close");
  // By a reset: it leaves no port behind in TIME_WAIT.
  socket.resetAndDestroy();
}
