// How many more file descriptors this process may open. At the limit the kernel closes accepted connections without a
// word to anybody, so a listener stops a little before it.
import { readdirSync, readFileSync } from "node:fs";

let limit: number | undefined;
let free = 0;
let estimatedUntil = -Infinity;

/**
 * Descriptors left under the process's limit, as far as the system tells (Linux does; elsewhere `Infinity`). Exact to
 * within a second while there are many; counted anew when there are fewer than `wanted`.
 */
export function freeDescriptors(wanted: number, now: number): number {
  limit ??= readLimit();
  if (limit === Infinity) return Infinity;
  free -= 1;
  if (free < wanted || now > estimatedUntil) {
    free = limit - readdirSync("/proc/self/fd").length;
    estimatedUntil = now + 1000;
  }
  return free;
}

function readLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    // Not Linux, or no /proc: the system does not tell.
    return Infinity;
  }
}
