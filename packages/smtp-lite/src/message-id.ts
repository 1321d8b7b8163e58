// Names for messages: no two alike, in this process or another.
import { randomBytes } from "node:crypto";

const processId = randomBytes(5).toString("hex");
let ids = 0;
let time = 0;
/** Everything before the number, made anew each millisecond. */
let prefix = "";

/** As text it sorts by time, also within a millisecond of one process, and is safe as a file name. */
export function newId(): string {
  const now = Date.now();
  if (now !== time) {
    time = now;
    prefix = `${now.toString(36)}-${processId}-`;
  }
  ids += 1;
  // As many digits as no process needs: 36^7 messages are years of them.
  return prefix + ids.toString(36).padStart(7, "0");
}
