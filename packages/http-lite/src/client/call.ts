// One request and its reply, for the caller: a promise, and an AbortSignal that ends it wherever it is. It knows no
// connection: whoever has it in hand says what to do when it is given up.
import { Deadline } from "@tcpkit/core";
import type { DeadlineTimer } from "@tcpkit/core";
import { HttpError } from "../errors.ts";
import type { HttpClientDeadlines } from "../limits.ts";
import type { InformationalEvent } from "../messages.ts";
import { isPromise } from "../pieces.ts";
import { queueTimeout } from "./failures.ts";
import type { Message } from "./message.ts";
import type { HttpClientResponse } from "./reply.ts";
import type { HttpSwitched } from "./switched.ts";

export class Call {
  readonly message: Message;
  readonly response: Promise<HttpClientResponse>;
  /** It was sent before, on a connection that carries its reply no more. */
  repeated = false;
  /** What to do when the caller gives up. Whoever has the call in hand sets it, and hands it over. */
  onGivenUp: ((error: unknown, call: Call) => void) | undefined;
  readonly #onInformational: ((event: InformationalEvent) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onSwitched: ((switched: HttpSwitched) => void) | undefined;
  readonly #settle: PromiseWithResolvers<HttpClientResponse>;
  /** How long its turn may take to come. */
  #turn: Deadline | undefined;
  #done = false;

  constructor(
    message: Message,
    signal: AbortSignal | undefined,
    onInformational: ((event: InformationalEvent) => void) | undefined,
    onSwitched?: (switched: HttpSwitched) => void,
  ) {
    this.message = message;
    this.#settle = Promise.withResolvers();
    this.response = this.#settle.promise;
    this.#onInformational = onInformational;
    this.#onSwitched = onSwitched;
    this.#signal = signal;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort);
  }

  /** Complete, or failed. */
  get done(): boolean {
    return this.#done;
  }

  /** It may stand behind other requests on a connection, and others behind it. Once repeated it is on its own. */
  get pipelines(): boolean {
    return this.message.pipelines && !this.repeated;
  }

  /** Its turn is still to come: the time for that begins, unless it has begun. */
  wait(timer: DeadlineTimer, deadlines: HttpClientDeadlines): void {
    if (this.#turn !== undefined) return;
    this.#turn = new Deadline(timer, () => this.fail(queueTimeout(deadlines)));
    this.#turn.set(deadlines.queue);
  }

  /** Its turn has come. */
  proceed(): void {
    this.#turn?.[Symbol.dispose]();
    this.#turn = undefined;
  }

  /** @throws what the listener throws. What it rejects with fails the request, unless that is over. */
  inform(event: InformationalEvent): void {
    const heard: unknown = this.#onInformational?.(event);
    if (isPromise(heard)) heard.then(undefined, (error: unknown) => this.fail(error));
  }

  answer(response: HttpClientResponse): void {
    this.#settle.resolve(response);
  }

  /** Instead of an answer: the connection is the caller's. */
  switch(switched: HttpSwitched): void {
    this.complete();
    this.#onSwitched?.(switched);
  }

  /** The exchange is over: the signal does nothing any more. */
  complete(): void {
    this.#done = true;
    this.proceed();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  /** Rejects, unless there was an answer, and lets go of whatever it was in. */
  fail(error: unknown): void {
    if (this.#done) return;
    this.complete();
    this.#settle.reject(error);
    this.onGivenUp?.(error, this);
  }

  readonly #onAbort = (): void => {
    const cause: unknown = this.#signal?.reason;
    this.fail(new HttpError("aborted", "the request was aborted by its signal", { blame: "local", cause }));
  };
}
