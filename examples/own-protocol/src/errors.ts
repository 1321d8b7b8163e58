// What can go wrong in a call: a stable word for programs, and the number that says it on the wire.

/** The numbers of JSON-RPC 2.0, section 5.1; one of our own from the range left to servers. */
const numbers = {
  "bad-json": -32700,
  "bad-message": -32600,
  "unknown-method": -32601,
  "bad-params": -32602,
  failed: -32603,
  "frame-too-long": -32000,
} as const;

export type RpcErrorCode = keyof typeof numbers;

export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: RpcErrorCode;

  constructor(code: RpcErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** How it goes on the wire: `JSON.stringify` asks for this. */
  toJSON(): { code: number; message: string } {
    return { code: numbers[this.code], message: this.message };
  }

  /** The error that came over the wire; a number that we do not know is `failed`. */
  static parse(error: unknown): RpcError {
    const { code, message } = Object(error) as { code?: unknown; message?: unknown };
    const known = Object.entries(numbers).find(([, number]) => number === code);
    return new RpcError((known?.[0] as RpcErrorCode | undefined) ?? "failed", String(message));
  }
}
