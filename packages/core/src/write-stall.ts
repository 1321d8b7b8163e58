// Whether the peer takes what we send: it looks now and then how far that has got. It knows how a socket can be asked for it,
// and nothing of what is sent.
import { Deadline } from "./deadline.ts";
import type { DeadlineTimer } from "./deadline.ts";
import type { Transport } from "./transport.ts";

/** So often it looks in the time that a stall may last: one is noticed that much of the time late, at most. */
const LOOKS = 4;

/** Whose bytes are to be taken. */
export interface Sender {
  /** Bytes written that have not left. */
  readonly bytesBuffered: number;
  /** The peer takes nothing. */
  onStalled(): void;
}

/** What Node does not document of a socket: the bytes of its writes, and those that the kernel has not taken. */
interface Inside {
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
}

/**
 * A deadline that every byte which the kernel takes puts off, and nothing else does: Node's own socket timer is put off by what
 * is read as well, and under TLS it does not see a large write go out.
 */
export class WriteStall extends Deadline {
  readonly #sender: Sender;
  readonly #transport: Transport;
  #interval = Infinity;
  #taken = 0;
  #looks = 0;

  /** `transport` is what carries the bytes: under TLS, the socket below. */
  constructor(timer: DeadlineTimer, sender: Sender, transport: Transport) {
    super(timer, nothing);
    this.#sender = sender;
    this.#transport = transport;
  }

  /** From now on the peer has so many milliseconds for each byte. */
  limit(milliseconds: number): void {
    this.#interval = milliseconds / LOOKS;
    this.#look();
  }

  override expire(): void {
    super.expire();
    const { bytesBuffered } = this.#sender;
    if (bytesBuffered === 0 || takenBy(this.#transport) !== this.#taken) this.#look();
    else if (this.#looks === LOOKS) this.#sender.onStalled();
    else this.#wait();
  }

  /** There is progress, or nothing to wait for. */
  #look(): void {
    this.#taken = takenBy(this.#transport);
    this.#looks = 0;
    this.#wait();
  }

  #wait(): void {
    this.#looks += 1;
    this.set(this.#interval);
  }
}

/** Bytes that the kernel has taken. Where Node does not tell so exactly, a write counts when all of it has been taken. */
function takenBy(transport: Transport): number {
  const { bytesWritten, writeQueueSize } = (transport as Inside)._handle ?? {};
  if (bytesWritten !== undefined && writeQueueSize !== undefined) return bytesWritten - writeQueueSize;
  return (transport.bytesWritten ?? 0) - transport.writableLength;
}

function nothing(): void {
  // `expire` does what is to be done.
}
