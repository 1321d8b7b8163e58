// Content that came as a stream: whoever takes a stream hears its failure and ends it, read or not; and what its pieces may be.
// It knows no commands.
import { isAscii } from "node:buffer";
import { badArgument, SmtpError } from "./errors.ts";
import { LineCheck } from "./line-check.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import type { BodyType } from "./parameter-types.ts";

const CRLF = Buffer.from("\r\n");

/**
 * Content was given to us, and may have to wait for its turn. A Node stream that fails meanwhile would end the process, since
 * nobody listens yet; its failure is thrown once it is read.
 */
export function takeContent(content: OutgoingMail["data"]): void {
  if (typeof content !== "object" || content === null) return;
  if ("on" in content && typeof content.on === "function") content.on("error", () => undefined);
}

/**
 * The pieces of a stream, each checked before it may leave. Where it goes by BDAT, `chunked`, its lines are checked too, and a
 * last one without CRLF gets one; by DATA, dot-stuffing sees to both.
 * @throws SmtpError `bad-argument`; `not-offered` for 8-bit content where `body` is 7BIT.
 */
export async function* checkedPieces(
  content: AsyncIterable<Uint8Array>,
  body: BodyType,
  chunked: boolean,
): AsyncGenerator<Uint8Array> {
  const lines = chunked && body !== "BINARYMIME" ? new LineCheck() : undefined;
  for await (const piece of content) {
    checkPiece(piece, body);
    if (lines?.push(piece) === false) throw badContent();
    yield piece;
  }
  if (lines?.openCr === true) throw badContent();
  if (lines?.lineStart === false) yield CRLF;
}

function checkPiece(piece: unknown, body: BodyType): void {
  if (!(piece instanceof Uint8Array))
    throw badArgument(
      `a stream of content brings bytes, and one of its pieces is no Uint8Array: ${typeof piece}`,
    );
  if (body === "7BIT" && !isAscii(piece))
    throw new SmtpError(
      "not-offered",
      "the server does not offer 8BITMIME: it cannot take 8-bit content: encode it",
    );
}

export function badContent(): SmtpError {
  return badArgument("the content has a CR or LF that is not part of CRLF");
}

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
