// The body of a request as a stream of the platform. It knows no Request of either kind's fields, only the bytes.
import type { UnderlyingByteSource } from "node:stream/web";
import type { HttpRequest } from "./request.ts";

/**
 * Read as it is asked for, and not before: asking is what sends 100 (Continue). A stream cannot tell whether its reader keeps
 * the pieces, so it has no bound.
 */
export class RequestBody implements UnderlyingByteSource {
  readonly type = "bytes";
  readonly #http: HttpRequest;
  /** The pieces, once the first has been asked for. */
  #pieces: AsyncIterator<Uint8Array> | undefined;

  constructor(http: HttpRequest) {
    this.#http = http;
  }

  async pull(controller: ReadableByteStreamController): Promise<void> {
    this.#pieces ??= this.#http.body[Symbol.asyncIterator]();
    const { done, value } = await this.#pieces.next();
    if (done === true) end(controller);
    else enqueue(controller, value);
  }

  async cancel(): Promise<void> {
    this.#pieces ??= this.#http.body[Symbol.asyncIterator]();
    await this.#pieces.return?.();
  }
}

/** The stream takes the memory of what it is given: a copy is given. */
function enqueue(controller: ReadableByteStreamController, bytes: Uint8Array): void {
  controller.enqueue(new Uint8Array(bytes));
}

function end(controller: ReadableByteStreamController): void {
  controller.close();
  controller.byobRequest?.respond(0);
}
