// Load of many connections, each of which sends, waits for the whole answer, and sends again. A script of its own:
// `node round-trips.ts '{"port":…}'` prints `{"operations":…,"seconds":…}`.
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface RoundTrips {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** What is sent each time: latin1 text. */
  readonly payload: string;
  /** How many bytes the answer to one payload has. */
  readonly answerBytes: number;
  /** How many operations one payload stands for. */
  readonly operations: number;
}

const options = JSON.parse(process.argv[2] ?? "{}") as RoundTrips;
const payload = Buffer.from(options.payload, "latin1");
let completed = 0;
let running = true;

/** Answers are only counted, so all sockets read into one buffer; that leaves more of the core for the load. */
const answer = Buffer.allocUnsafe(65_536);

async function open(): Promise<Socket> {
  let awaited = options.answerBytes;
  const onread = {
    buffer: answer,
    callback(bytes: number): boolean {
      awaited -= bytes;
      if (awaited > 0) return true;
      completed += options.operations;
      awaited += options.answerBytes;
      if (running) socket.write(payload);
      return true;
    },
  };
  const socket = connect({ port: options.port, host: "127.0.0.1", noDelay: true, onread });
  await once(socket, "connect");
  socket.on("close", () => {
    if (running) throw new Error("the server closed a connection under load");
  });
  return socket;
}

const sockets = await Promise.all(Array.from({ length: options.connections }, open));
const start = performance.now();
for (const socket of sockets) socket.write(payload);
await sleep(options.seconds * 1000);
running = false;
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ operations: completed, seconds }));
for (const socket of sockets) socket.destroy();
