// More cores than one: the same program in several processes, all of them serving one port. Which side of it this
// process is on is decided here, and nothing else.
import { availableParallelism } from "node:os";
import type { Cluster, ClusterOptions } from "./cluster/primary.ts";
import type { Served } from "./cluster/worker.ts";
import { TcpError } from "./errors.ts";

/**
 * Runs `start` in several worker processes that share its port (node:cluster), replaces those that die, and drains
 * them all at SIGTERM and SIGINT.
 *
 * The program runs once as the primary and once more in every worker. In the primary this resolves when all workers
 * listen. **In a worker it never returns**: what stands behind it runs in the primary alone; the worker serves until the
 * primary tells it to drain, or is gone, and then its process ends. Workers leave SIGINT and SIGTERM to the primary.
 *
 * Call it once in a program. Limits such as `maxConnections` count in each worker by itself. Workers share a Unix socket
 * (`path`) as they share a port; its file goes with the last of them.
 * @throws TcpError what `start` failed with in a worker (`address-in-use`, …); `worker-failed` when workers die early
 * again and again, or `start` fails with an error of another class; `aborted` when a signal comes before they listen;
 * `bad-option`.
 */
export async function serveCluster(
  start: () => Promise<Served>,
  options: ClusterOptions = {},
): Promise<Cluster> {
  const { workers = availableParallelism(), deadline = 5000 } = options;
  // Loaded when it is used: most programs are one process, and node:cluster brings much with it.
  const { default: cluster } = await import("node:cluster");
  if (cluster.isWorker) {
    const { serveInWorker } = await import("./cluster/worker.ts");
    return serveInWorker(start, deadline);
  }
  if (!Number.isSafeInteger(workers) || workers < 1) {
    throw new TcpError("bad-option", `a cluster needs one worker at least, not ${workers}`);
  }
  const primary = await import("./cluster/primary.ts");
  return new primary.Cluster(workers, options).open();
}
