// The body of a request as a stream of the platform. It knows no Request of either kind's fields, only the bytes.
import type { UnderlyingByteSource } from "node:stream/web";
import type { HttpRequest } from "./request.ts";

/**
 * Read as it is asked for, and not before: asking is what sends 100 (Continue). A stream cannot tell whether its reader keeps
 * the pieces, so it has no bound, unless it is told that it will be gathered.
 */
export class RequestBody implements UnderlyingByteSource {
  readonly type = "bytes";
  readonly #http: HttpRequest;
  /** The pieces, once the first has been asked for. */
  #pieces: AsyncIterator<Uint8Array> | undefined;
  #gathered = false;

  constructor(http: HttpRequest) {
    this.#http = http;
  }

  /**
   * Whoever reads it next wants all of it: then it is gathered here, and the stream fails where that is more than `maxBodyBytes`.
   * Without effect once a piece has been asked for.
   */
  gather(): void {
    this.#gathered = true;
  }

  async pull(controller: ReadableByteStreamController): Promise<void> {
    if (this.#gathered && this.#pieces === undefined) {
      const bytes = await this.#http.bytes();
      if (bytes.length > 0) enqueue(controller, bytes);
      end(controller);
      return;
    }
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
