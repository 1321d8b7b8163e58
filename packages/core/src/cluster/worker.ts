// A worker's side: serve, and end in good order when told to, or when there is nobody left to tell it.
import cluster from "node:cluster";
import type { Address } from "../address.ts";
import type { DrainOptions, DrainResult } from "../drain.ts";
import { TcpError } from "../errors.ts";
import { isOrder } from "./messages.ts";
import type { Report } from "./messages.ts";

/** What a worker serves: a `Listener`, or several that open and close as one. */
export interface Served {
  readonly address: Address;
  /** Ends in good order. The deadline counts from the order to drain, so it covers whatever else is done here as well. */
  close(options: DrainOptions): Promise<DrainResult>;
}

/** Serves until told to drain, or until the primary is gone; then the process ends. */
export async function serveInWorker(start: () => Promise<Served>, deadline: number): Promise<never> {
  const drain = Promise.withResolvers<number>();
  const cut = new AbortController();
  process.on("message", (message) => {
    if (!isOrder(message)) return;
    drain.resolve(message.deadline);
    setTimeout(() => cut.abort(), message.deadline).unref();
  });
  // Ctrl-C reaches the whole process group, and some supervisors signal every process: the primary alone decides.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  cluster.worker?.once("disconnect", () => {
    // Without this Node ends an orphan at once, and its requests with it.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    drain.resolve(deadline);
  });
  let served: Served;
  try {
    served = await start();
  } catch (error) {
    const code = error instanceof TcpError ? { code: error.code } : {};
    await report({
      type: "tcpkit:failed",
      ...code,
      message: error instanceof Error ? error.message : String(error),
    });
    process.exit(1);
  }
  await report({ type: "tcpkit:listening", address: served.address });
  const { drained, cut: lost } = await served.close({ deadline: await drain.promise, signal: cut.signal });
  await report({ type: "tcpkit:drained", drained, cut: lost });
  // Not left to the event loop: what a cut connection's handler still waits for must not hold the process.
  process.exit(0);
}

/** Resolves once the message has left, or cannot: a primary that is gone needs none. */
function report(message: Report): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
