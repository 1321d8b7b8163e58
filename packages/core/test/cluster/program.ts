// A clustered line server as a process of its own. What happens in the primary is printed, one JSON line each; what it
// is to do comes in lines on standard input. The first argument is how its workers behave, the second the options.
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { connect, lineProtocol, serve, serveCluster } from "../../src/index.ts";
import type { ClusterOptions, Listener } from "../../src/index.ts";

const [behaviour = "", options = "{}"] = process.argv.slice(2);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function start(): Promise<Listener> {
  if (behaviour === "crash-at-start") process.exit(7);
  if (behaviour === "throw") throw new Error("no database");
  if (behaviour.startsWith("until ") && existsSync(behaviour.slice(6))) throw new Error("a bad release");
  const listener = await serve(lineProtocol, ({ text }) => answer(text), {
    port: behaviour.startsWith("port ") ? Number(behaviour.slice(5)) : 0,
    path: behaviour.startsWith("path ") ? behaviour.slice(5) : undefined,
    mode: 0o660,
  });
  if (behaviour === "crash-soon") setImmediate(() => process.exit(7));
  return listener;
}

async function answer(line: string): Promise<string> {
  // "gate PORT": the answer waits until the test opens its gate.
  const gate = /^gate (\d+)$/.exec(line)?.[1];
  if (gate !== undefined) {
    const connection = await connect({ port: Number(gate) });
    await new Promise((resolve) => connection.once("data", resolve));
    connection.end();
  }
  return String(process.pid);
}

try {
  const cluster = await serveCluster(start, JSON.parse(options) as ClusterOptions);
  cluster.on("worker", (pid) => say({ event: "worker", pid }));
  cluster.on("death", (death) => say({ event: "death", ...death }));
  say({ event: "ready", ...cluster.address, workers: cluster.workers });
  const commands = createInterface({ input: process.stdin });
  commands.on("line", (line) => {
    if (line === "restart") {
      cluster.restart().then(
        () => say({ event: "restarted", workers: cluster.workers }),
        (error: Error) => say({ event: "not-restarted", message: error.message }),
      );
    } else {
      void cluster.close(JSON.parse(line) as object);
    }
  });
  const result = await cluster.closed.finally(() => commands.close());
  say({ event: "closed", ...result });
} catch (error) {
  say({ event: "failed", ...(error as object), message: (error as Error).message });
}
