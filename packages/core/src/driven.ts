// What a connection tells the protocol on top of it. Types alone, no code.

/** @internal What a driver hears of its connection: methods, since a listener for each would cost every connection memory. */
export interface Driven {
  onData(chunk: Buffer): void;
  onEnd(): void;
  onDrain(): void;
  onClose(): void;
  /** The listener drains: say goodbye. */
  onGoodbye(): void;
}
