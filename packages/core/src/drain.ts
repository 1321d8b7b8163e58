// How open connections come to an end: goodbye, wait, destroy. It knows connections, not listeners.
import type { Connection } from "./connection.ts";

export interface DrainOptions {
  /** How long to wait for connections to end by themselves, in milliseconds; 0 cuts at once. Default: 5000. */
  readonly deadline?: number | undefined;
  /** Cuts what is left when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

export interface DrainResult {
  /** Connections that ended in good order. */
  readonly drained: number;
  /** Connections that were destroyed at the deadline. */
  readonly cut: number;
}

/** Lets every connection end in good order, and destroys those that have not by the deadline. */
export async function drain(
  connections: Iterable<Connection>,
  options: DrainOptions = {},
): Promise<DrainResult> {
  const open = new Set(connections);
  const total = open.size;
  if (total === 0) return { drained: 0, cut: 0 };
  let cut = 0;
  await new Promise<void>((resolve) => {
    const cutAll = (): void => {
      cut = open.size;
      for (const connection of open) {
        connection.destroy({ kind: "aborted", cause: new Error("cut at the drain deadline") });
      }
    };
    const timer = setTimeout(cutAll, options.deadline ?? 5000);
    const finish = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", cutAll);
      resolve();
    };
    for (const connection of open) {
      connection.once("close", () => {
        open.delete(connection);
        if (open.size === 0) finish();
      });
      if (connection.driver === undefined) connection.end();
      else connection.driver.onGoodbye();
    }
    if (options.signal?.aborted === true) cutAll();
    else options.signal?.addEventListener("abort", cutAll, { once: true });
  });
  return { drained: total - cut, cut };
}
