// Load of connections that come and go: each connects, sends, waits for the answer and closes; then the next one comes.
// A script of its own, run as `round-trips.ts` is; an operation is one connection.
import { connect } from "node:net";

export interface ShortConnections {
  readonly port: number;
  readonly seconds: number;
  /** It ends after so many connections, even when there is time left. */
  readonly most: number;
  /** Connections at once. */
  readonly concurrency: number;
  /** What each sends: latin1 text. */
  readonly payload: string;
  /** Who has the answer says goodbye, or cuts the connection off by a reset. */
  readonly close: "end" | "reset";
}

const options = JSON.parse(process.argv[2] ?? "{}") as ShortConnections;
const payload = Buffer.from(options.payload, "latin1");
const answer = Buffer.allocUnsafe(65_536);
const start = performance.now();
const until = start + options.seconds * 1000;
let started = 0;
let completed = 0;

/** One connection after the other. */
async function run(): Promise<void> {
  while (performance.now() < until && started < options.most) {
    started += 1;
    await one();
    completed += 1;
  }
}

/** One connection, from its opening until it is closed on both sides. Every server here answers in one piece. */
function one(): Promise<void> {
  return new Promise((resolve, reject) => {
    let answered = false;
    const onread = {
      buffer: answer,
      callback(): boolean {
        answered = true;
        if (options.close === "end") socket.end();
        else socket.resetAndDestroy();
        return true;
      },
    };
    const socket = connect({ port: options.port, host: "127.0.0.1", noDelay: true, onread });
    socket.on("error", reject);
    socket.on("close", () => {
      if (answered) resolve();
      else reject(new Error("the server closed a connection before it answered"));
    });
    socket.write(payload);
  });
}

await Promise.all(Array.from({ length: options.concurrency }, run));
console.log(JSON.stringify({ operations: completed, seconds: (performance.now() - start) / 1000 }));
