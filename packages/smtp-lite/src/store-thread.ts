// The thread that keeps a folder's small messages, as the server's own thread sees it: rounds go out, outcomes come back.
// No slow disk holds up the server, and its own thread has nothing to do for a message but to hand it over.
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Origin } from "./boot.ts";
import type { Folder } from "./store-disk.ts";
import { fromFailure } from "./store-failure.ts";
import type { Outcome } from "./store-rounds.ts";
import type { Answer, Request, ThreadData } from "./store-worker.ts";

/** A message that fits into memory. */
export interface HeldMessage {
  readonly id: string;
  /** Its content: taken out once it is on its way. */
  readonly pieces: Uint8Array[];
  /** Of all pieces, in bytes. */
  readonly size: number;
}

/** The program beside this file: TypeScript in the sources, JavaScript in what is published. */
const PROGRAM = new URL(`./store-worker${extname(import.meta.url)}`, import.meta.url);

export class StoreThread {
  readonly #path: string;
  readonly #worker: Worker;
  readonly #ended = Promise.withResolvers<void>();
  /** One request at a time. */
  #asked: PromiseWithResolvers<Answer> = Promise.withResolvers();
  #failure: Error | undefined;

  private constructor(folder: Folder, origin: Origin, program: URL) {
    this.#path = folder.path;
    this.#worker = new Worker(program, {
      name: "mail directory",
      workerData: { folder, origin } satisfies ThreadData,
      // What the process is started with, such as code to load first or to evaluate, is not meant for this thread.
      execArgv: [],
      // Nothing that it writes by accident gets into what the program writes.
      stdout: true,
      stderr: true,
    });
    this.#worker.on("message", (answer: Answer) => this.#asked.resolve(answer));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => {
      this.#fail();
      this.#ended.resolve();
    });
  }

  /**
   * Starts it, and resolves once it is ready. `folder` is to stay open as long as it lives.
   * @throws Error when it cannot start.
   */
  static async start(folder: Folder, origin: Origin, program: URL = PROGRAM): Promise<StoreThread> {
    const thread = new StoreThread(folder, origin, program);
    await thread.#asked.promise;
    // With nothing to do it keeps no process alive.
    thread.#worker.unref();
    return thread;
  }

  /** @throws Error when the thread has ended before its time. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Keeps messages, and gives what became of each. One call at a time.
   * @throws Error when the thread has ended: then nothing is known of any of them.
   */
  async keep(messages: readonly HeldMessage[]): Promise<Outcome[]> {
    const bytes = joined(messages);
    const ids = messages.map(({ id }) => id);
    const lengths = messages.map(({ size }) => size);
    this.#worker.ref();
    const answer = await this.#ask({ ids, lengths, bytes }, [bytes.buffer]);
    this.#worker.unref();
    return answer.map((failure) => failure && fromFailure(failure));
  }

  /**
   * Makes all files last, takes the journal away and ends the thread: when it settles, that is gone. Not while `keep()`
   * is under way.
   * @throws errors of the file system, and Error when the thread has ended before.
   */
  async close(): Promise<void> {
    this.#worker.ref();
    try {
      const [failure] = await this.#ask("close");
      if (failure !== undefined) throw fromFailure(failure);
    } finally {
      await this.#ended.promise;
    }
  }

  #ask(request: Request, transfer: ArrayBuffer[] = []): Promise<Answer> {
    this.#asked = Promise.withResolvers();
    if (this.#failure === undefined) this.#worker.postMessage(request, transfer);
    else this.#asked.reject(this.#failure);
    return this.#asked.promise;
  }

  #fail(cause?: Error): void {
    this.#failure ??= new Error(`the thread that keeps mail in ${this.#path} has ended: open it anew`, {
      cause,
    });
    this.#asked.reject(this.#failure);
  }
}

/** All content in memory of its own, which another thread can be given. */
function joined(messages: readonly HeldMessage[]): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.allocUnsafeSlow(messages.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const { pieces } of messages) {
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    pieces.length = 0;
  }
  return bytes;
}
