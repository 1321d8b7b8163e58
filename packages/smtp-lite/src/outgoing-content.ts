// The end of content that came as a stream: whoever takes a stream ends it, read or not. It knows no mail.
import type { OutgoingMail } from "./outgoing-mail.ts";

/** Nobody reads this any more. `begun`: a loop was at it, which ends it when it is left; a Node stream need not wait for that. */
export function endContent(content: OutgoingMail["data"], begun = false): void {
  if (typeof content === "object" && content !== null && !(content instanceof Uint8Array))
    void end(content, begun);
}

async function end(content: AsyncIterable<Uint8Array>, begun: boolean): Promise<void> {
  try {
    // A Node stream's `return()` does nothing before the first `next()`.
    if ("destroy" in content && typeof content.destroy === "function") content.destroy();
    else if (!begun) await content[Symbol.asyncIterator]().return?.();
  } catch {
    // Why the message was not sent is known; how its stream takes that changes nothing.
  }
}
