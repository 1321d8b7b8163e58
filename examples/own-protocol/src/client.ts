// The calling side: `node examples/own-protocol/src/client.ts METHOD PARAMS [PORT]` makes one call and prints its result.
// The same protocol, driven from the other end: its events are answers now.
import { connect, drive, TcpError } from "@tcpkit/core";
import type { Connection, ConnectOptions, Peer } from "@tcpkit/core";
import { RpcError } from "./errors.ts";
import { rpc } from "./protocol.ts";
import type { Message, RpcEvent } from "./protocol.ts";

/** Calls methods of a server. Any number of calls may be under way at once. */
export class RpcClient {
  readonly #peer: Peer<Message>;
  readonly #calls = new Map<unknown, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  constructor(connection: Connection) {
    this.#peer = drive(connection, rpc, (event) => this.#settle(event), { deadlines: { idle: Infinity } });
    connection.on("close", ({ kind }) => {
      const closed = new TcpError("closed", `the connection closed before the answer came (${kind})`);
      for (const { reject } of this.#calls.values()) reject(closed);
      this.#calls.clear();
    });
  }

  /** What the method returns. @throws RpcError what the server answers instead. @throws TcpError `closed`. */
  async call(method: string, params?: unknown): Promise<unknown> {
    if (!this.#peer.connection.writable) throw new TcpError("closed", "the connection is closed");
    const id = (this.#lastId += 1);
    this.#peer.send({ type: "call", id, method, params });
    const call = Promise.withResolvers<unknown>();
    this.#calls.set(id, call);
    return call.promise;
  }

  /** Ends the connection in good order; calls still under way are rejected. */
  close(): void {
    this.#peer.close();
  }

  #settle(event: RpcEvent): void {
    if (event.type === "call") return;
    const call = event.type === "error" || event.id === null ? undefined : this.#calls.get(event.id);
    if (call === undefined || event.type === "error") {
      // An answer to nothing, or no answer at all: with such a peer there is nothing more to say.
      this.#peer.close();
      return;
    }
    this.#calls.delete(event.id);
    if (event.type === "result") call.resolve(event.result);
    else call.reject(event.error);
  }
}

/** Connects to a server. @throws TcpError as `connect`. */
export async function connectRpc(options: ConnectOptions): Promise<RpcClient> {
  return new RpcClient(await connect(options));
}

if (import.meta.main) {
  const [method = "echo", params = "null", port = "7300"] = process.argv.slice(2);
  const client = await connectRpc({ port: Number(port) });
  try {
    console.log(JSON.stringify(await client.call(method, JSON.parse(params))));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    console.error(`${error.code}: ${error.message}`);
    process.exitCode = 1;
  }
  client.close();
}
