// An error at a byte of what was received.
import type { ByteQueue } from "@tcpkit/core";
import { HttpError } from "./errors.ts";
import type { HttpErrorCode } from "./errors.ts";
import { LF } from "./wire.ts";

/** What is wrong with the byte at index `at`; an LF out of its place is named as such, whatever was expected there. */
export function fault(queue: ByteQueue, at: number, code: HttpErrorCode, message: string): HttpError {
  const offset = queue.base + at;
  if (queue.buffer[at] === LF)
    return new HttpError("bare-lf", "a line ends with CRLF, not with LF alone (nc: option -C)", { offset });
  return new HttpError(code, message, { offset });
}
