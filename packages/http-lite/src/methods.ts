// Methods as shared strings, found by their bytes, and the refusal of those that are not served. It knows names, not
// what a method does.
import { HttpError } from "./errors.ts";

/** Those of RFC 9110 §9.3 and RFC 5789. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"] as const;

/** What a server takes unless told otherwise: TRACE would give a reader back the cookies of a script's victim. */
export const DEFAULT_METHODS: readonly string[] = METHODS.slice(0, 7);

/** The method at `[from, to)`: one shared string for a known one, a new one for any other. */
export function readMethod(buffer: Buffer, from: number, to: number): string {
  const length = to - from;
  for (const method of METHODS) {
    if (method.length === length && isAt(buffer, from, method)) return method;
  }
  return buffer.toString("latin1", from, to);
}

function isAt(buffer: Buffer, from: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (buffer[from + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** The answer to a method that is not served: 405 for a known one, 501 for any other (RFC 9110 §15.5.6, §15.6.2). */
export function methodRefusal(method: string, served: readonly string[], offset: number): HttpError {
  if (!(METHODS as readonly string[]).includes(method)) {
    return new HttpError("unknown-method", "the method is not known here", { status: 501, offset });
  }
  const headers = { Allow: served.join(", ") };
  return new HttpError("refused-method", `${method} is not served here`, { status: 405, offset, headers });
}
