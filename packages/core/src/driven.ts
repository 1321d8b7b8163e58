// What a connection tells the protocol on top of it. Types alone, no code.
import type { CloseReason } from "./close-reason.ts";

/** @internal What a driver hears of its connection: methods, since a listener for each would cost every connection memory. */
export interface Driven {
  onData(chunk: Buffer): void;
  onEnd(): void;
  onDrain(): void;
  onClose(reason: CloseReason): void;
  /** Somebody else writes or ends our side: what was collected leaves first. */
  flush(): void;
  /** The listener drains: say goodbye. */
  onGoodbye(): void;
}
