// Names for messages: no two alike, in this process or another.
import { randomBytes } from "node:crypto";

const processId = randomBytes(5).toString("hex");
let ids = 0;

/** It sorts by time, and is safe as a file name. */
export function newId(): string {
  ids += 1;
  return `${Date.now().toString(36)}-${processId}-${ids.toString(36)}`;
}
