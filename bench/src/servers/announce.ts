// How a server script talks with the runner: it says where it listens, tells its memory when asked, and ends when its
// standard input does. Every script of this folder uses it.
import { flushCompileCache } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

/** How long garbage has to leave, in milliseconds: V8 gives pages back some time after a collection. */
const PAUSE = 300;

/** Prints the port as the first line of standard output, and the settled memory for each line of standard input. */
export function announce(port: number): void {
  console.log(JSON.stringify({ port }));
  // At the latest now: it may be killed.
  flushCompileCache();
  process.stdin.on("data", () => void tellMemory());
  process.stdin.on("end", () => process.exit());
}

/** The memory that is left when all garbage is gone. Some objects are found dead only after others were collected. */
async function tellMemory(): Promise<void> {
  for (let collection = 0; collection < 3; collection += 1) {
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    await sleep(PAUSE);
  }
  console.log(JSON.stringify({ resident: process.memoryUsage.rss() }));
}
