// JSON-RPC 2.0 in frames: four bytes of length, big-endian, then that many bytes of JSON in UTF-8. Both ends use it.
// It knows bytes and messages. It knows no socket, no timer, and none of the methods.
import { ByteQueue, encodeLengthPrefixed, LengthPrefixFramer, TcpError } from "@tcpkit/core";
import type { Protocol, Session, Span } from "@tcpkit/core";
import { RpcError } from "./errors.ts";

type Id = number | string | null;

export type Message =
  | { readonly type: "call"; readonly id: Id | undefined; readonly method: string; readonly params: unknown }
  | { readonly type: "result"; readonly id: Id; readonly result: unknown }
  | { readonly type: "failure"; readonly id: Id; readonly error: RpcError };

/** A message and where it stood in the byte stream; or what was wrong there. */
export type RpcEvent = Span & (Message | { readonly type: "error"; readonly error: RpcError });

/** The longest JSON bounds what a peer can make us hold: 64 KiB. */
const framing = { size: 4, maxLength: 65_536 };
const utf8 = new TextDecoder("utf-8", { fatal: true });

function parse(bytes: Uint8Array): Message {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    throw new RpcError("bad-json", "the frame holds no JSON in UTF-8");
  }
  const { jsonrpc, id, method, params, result, error } = Object(value) as { [name in string]?: unknown };
  const hasId = typeof id === "number" || typeof id === "string" || id === null;
  if (jsonrpc === "2.0" && (hasId || id === undefined)) {
    if (typeof method === "string") return { type: "call", id, method, params };
    if (hasId && result !== undefined) return { type: "result", id, result };
    if (hasId && error !== undefined) return { type: "failure", id, error: RpcError.parse(error) };
  }
  throw new RpcError("bad-message", "this JSON is neither a call nor an answer of JSON-RPC 2.0");
}

class RpcSession implements Session<RpcEvent, Message> {
  readonly state = "open";
  failure: TcpError | undefined;
  finished = false;
  readonly #queue = new ByteQueue();
  readonly #framer = new LengthPrefixFramer(this.#queue, framing);

  get partial(): boolean {
    return this.#queue.length > 0;
  }

  receive(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  next(): RpcEvent | undefined {
    if (this.failure !== undefined) return undefined;
    const start = this.#queue.offset;
    try {
      const frame = this.#framer.take();
      return frame && { ...parse(frame.bytes), start, end: frame.end };
    } catch (error) {
      // A frame of nonsense is over, and the next one can be read.
      if (error instanceof RpcError) return { type: "error", error, start, end: this.#queue.offset };
      if (!(error instanceof TcpError)) throw error;
      // Behind a length that we do not accept there is no telling where a frame begins.
      this.failure = error;
      return { type: "error", error: new RpcError("frame-too-long", error.message), start, end: start + 4 };
    }
  }

  send(message: Message): Uint8Array {
    // JSON leaves out what is undefined: `type` is ours, not the wire's.
    const json = JSON.stringify({ jsonrpc: "2.0", ...message, type: undefined });
    this.finished = this.failure !== undefined;
    return encodeLengthPrefixed(Buffer.from(json), framing);
  }

  // Half a frame is no message: it is dropped.
  end(): void {}
}

export const rpc: Protocol<RpcEvent, Message> = { name: "rpc", session: () => new RpcSession() };
