// The end of content that came as a stream: whoever takes a stream ends it, read or not. It knows no mail.
import type { OutgoingMail } from "./outgoing-mail.ts";

/** Nobody reads this any more. `begun`: a loop was at it, which ends it when it is left; a Node stream need not wait for that. */
export function endContent(content: OutgoingMail["data"], begun = false): void {
  if (typeof content === "string" || content instanceof Uint8Array) return;
  // A Node stream's `return()` does nothing before the first `next()`.
  if (isDestroyable(content)) content.destroy();
  else if (!begun) void returnFrom(content);
}

async function returnFrom(content: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await content[Symbol.asyncIterator]().return?.();
  } catch {
    // Why the message was not sent is known; how its stream takes that changes nothing.
  }
}

function isDestroyable(content: object): content is { destroy: () => void } {
  return "destroy" in content && typeof content.destroy === "function";
}
