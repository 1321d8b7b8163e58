// What the primary and its workers say to each other: four messages, all of them here. It knows no process.
import type { Address } from "../address.ts";
import type { DrainResult } from "../drain.ts";
import type { TcpErrorCode } from "../errors.ts";

/** From a worker to its primary. */
export type Report =
  /** `start` has resolved: connections are welcome. */
  | { readonly type: "tcpkit:listening"; readonly address: Address }
  /** `start` has rejected; the worker ends next. The code is there when it was a `TcpError`. */
  | { readonly type: "tcpkit:failed"; readonly code?: TcpErrorCode; readonly message: string }
  /** Every connection is gone; the worker ends next. */
  | ({ readonly type: "tcpkit:drained" } & DrainResult);

/** From the primary to a worker: let the connections end, up to the deadline in milliseconds, report, and end. */
export interface Order {
  readonly type: "tcpkit:drain";
  /** A second order may only shorten it; 0 cuts at once. */
  readonly deadline: number;
}

export function isReport(message: unknown): message is Report {
  return isOurs(message);
}

export function isOrder(message: unknown): message is Order {
  return isOurs(message);
}

/** A program may send messages of its own over the same channel; both ends of ours are this code. */
function isOurs(message: unknown): boolean {
  return (
    typeof message === "object" &&
    message !== null &&
    "type" in message &&
    typeof message.type === "string" &&
    message.type.startsWith("tcpkit:")
  );
}
