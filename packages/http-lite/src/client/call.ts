// One request and its reply, for the caller: a promise, and an AbortSignal that ends it wherever it is. It knows no
// connection: whoever has it in hand says what to do when it is given up.
import { HttpError } from "../errors.ts";
import type { InformationalEvent } from "../messages.ts";
import type { Message } from "./message.ts";
import type { HttpClientResponse } from "./reply.ts";

export class Call {
  readonly message: Message;
  readonly response: Promise<HttpClientResponse>;
  /** It was sent before, on a connection that the server had closed. */
  repeated = false;
  /** What to do when the caller gives up. Whoever has the call in hand sets it, and hands it over. */
  onGivenUp: ((error: unknown) => void) | undefined;
  readonly #onInformational: ((event: InformationalEvent) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #settle: PromiseWithResolvers<HttpClientResponse>;
  #done = false;

  constructor(
    message: Message,
    signal: AbortSignal | undefined,
    onInformational: ((event: InformationalEvent) => void) | undefined,
  ) {
    this.message = message;
    this.#settle = Promise.withResolvers();
    this.response = this.#settle.promise;
    this.#onInformational = onInformational;
    this.#signal = signal;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort);
  }

  /** Complete, or failed. */
  get done(): boolean {
    return this.#done;
  }

  inform(event: InformationalEvent): void {
    this.#onInformational?.(event);
  }

  answer(response: HttpClientResponse): void {
    this.#settle.resolve(response);
  }

  /** The exchange is over: the signal does nothing any more. */
  complete(): void {
    this.#done = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  /** Rejects, unless there was an answer, and lets go of whatever it was in. */
  fail(error: unknown): void {
    if (this.#done) return;
    this.complete();
    this.#settle.reject(error);
    this.onGivenUp?.(error);
  }

  readonly #onAbort = (): void => {
    const cause: unknown = this.#signal?.reason;
    this.fail(new HttpError("aborted", "the request was aborted by its signal", { blame: "local", cause }));
  };
}
