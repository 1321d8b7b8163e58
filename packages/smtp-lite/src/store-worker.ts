// The thread of a mail folder, as a program: what waits for the disk waits here. The other side is store-thread.ts.
//
// It says `[]` once it is ready. A round is answered by what became of each message; "close" by what became of the journal,
// and is the end.
import { parentPort, workerData } from "node:worker_threads";
import type { Origin } from "./boot.ts";
import { Journal } from "./journal.ts";
import type { Folder } from "./store-disk.ts";
import { toFailure } from "./store-failure.ts";
import type { Failure } from "./store-failure.ts";
import { keepRound } from "./store-round.ts";
import type { Round } from "./store-round.ts";

/** What the thread is given. */
export interface ThreadData {
  readonly folder: Folder;
  readonly origin: Origin;
}

/** What it is asked for. */
export type Request = Round | "close";

/** What it says: for each message, or for the journal, `undefined` when all is well. */
export type Answer = readonly (Failure | undefined)[];

const port = parentPort;
if (port === null) throw new Error("this file is the program of a thread, and no module to import");
const { folder, origin } = workerData as ThreadData;
const journal = new Journal(folder, origin);

function answer(outcomes: readonly unknown[]): void {
  const failures: Answer = outcomes.map((error) => (error === undefined ? undefined : toFailure(error)));
  port?.postMessage(failures);
}

port.on("message", (request: Request) => {
  if (request !== "close") return answer(keepRound(folder, journal, request));
  void journal
    .close()
    .then(
      () => answer([undefined]),
      (error: unknown) => answer([error]),
    )
    .finally(() => port.close());
});
answer([]);
