// A calculator of sorts, until Ctrl-C: `node examples/own-protocol/src/server.ts [PORT]`.
// It knows the methods and how they are answered; it knows nothing of frames.
import { setTimeout } from "node:timers/promises";
import { assertNever, formatAddress, serve } from "@tcpkit/core";
import type { Listener, Peer, ServeOptions } from "@tcpkit/core";
import { RpcError } from "./errors.ts";
import { rpc } from "./protocol.ts";
import type { Message, RpcEvent } from "./protocol.ts";

// A map, not an object: a peer may well ask for the method "constructor".
const methods = new Map<string, (params: unknown) => unknown>([
  ["echo", (params) => params ?? null],
  ["add", (params) => numbers(params).reduce((sum, number) => sum + number, 0)],
  ["sleep", (params) => setTimeout(Math.min(numbers(params)[0] ?? 0, 10_000), "awake")],
]);

function numbers(params: unknown): number[] {
  if (Array.isArray(params) && params.every((param) => typeof param === "number")) return params;
  throw new RpcError("bad-params", "params must be a list of numbers");
}

/** One call of this for each event of a connection; while it is pending, no other event is pulled. */
export async function answer(event: RpcEvent, peer: Peer<Message>): Promise<Message | undefined> {
  switch (event.type) {
    case "call":
      return await call(event, peer);
    case "error":
      return { type: "failure", id: null, error: event.error };
    case "result":
    case "failure":
      // We asked nothing, so this answers nothing.
      return undefined;
    default:
      return assertNever(event);
  }
}

async function call(
  { id, method, params }: Extract<Message, { type: "call" }>,
  peer: Peer<Message>,
): Promise<Message | undefined> {
  try {
    const perform = methods.get(method);
    if (perform === undefined) throw new RpcError("unknown-method", `there is no method ${method}`);
    const result = await perform(params);
    // Sent in here, so that a result too long for a frame is a failure like any other.
    if (id !== undefined) peer.send({ type: "result", id, result });
    return undefined;
  } catch (cause) {
    // What failed inside is nobody's business outside.
    const error = cause instanceof RpcError ? cause : new RpcError("failed", "the method failed");
    // A call without an id is a notification: it gets no answer, not even this.
    return id === undefined ? undefined : { type: "failure", id, error };
  }
}

/** Serves it. @throws TcpError as `listen`. */
export function serveRpc(options: ServeOptions = {}): Promise<Listener> {
  return serve(rpc, answer, {
    deadlines: { message: 5_000, idle: 60_000 },
    maxConnections: 1_000,
    ...options,
  });
}

if (import.meta.main) {
  const server = await serveRpc({ port: Number(process.argv[2] ?? 7300) });
  console.log(`rpc listens on ${formatAddress(server.address)}; Ctrl-C stops`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void server.close());
}
