// Methods as shared strings, found by their bytes. It knows names, not what a method does.

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
