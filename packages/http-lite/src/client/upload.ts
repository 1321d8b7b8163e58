// The body of a request on its way out, as fast as the server takes it. It knows nothing of the reply.
import type { Peer } from "@tcpkit/core";
import type { HttpReply } from "../messages.ts";
import { giveUp, sendPieces, sourceOf } from "../pieces.ts";
import type { Source } from "../pieces.ts";
import type { LaterBody, RequestTrailers } from "./message.ts";

/** Hears how an upload ended, unless it was stopped. */
export interface UploadOwner {
  onUploaded(): void;
  onUploadFailed(error: unknown): void;
}

export class Upload {
  readonly #body: LaterBody;
  readonly #trailers: RequestTrailers | undefined;
  readonly #peer: Peer<HttpReply>;
  readonly #owner: UploadOwner;
  #source: Source | undefined;
  #state: "held" | "started" | "sent" | "stopped" = "held";

  constructor(
    body: LaterBody,
    trailers: RequestTrailers | undefined,
    peer: Peer<HttpReply>,
    owner: UploadOwner,
  ) {
    this.#body = body;
    this.#trailers = trailers;
    this.#peer = peer;
    this.#owner = owner;
  }

  get state(): "held" | "started" | "sent" | "stopped" {
    return this.#state;
  }

  start(): void {
    if (this.#state !== "held") return;
    this.#state = "started";
    void this.#run();
  }

  /** Nothing more is sent. Its source is told, and may take its time to hear. */
  stop(): void {
    if (this.#state === "sent") return;
    this.#state = "stopped";
    giveUp(this.#source);
  }

  async #run(): Promise<void> {
    const body = this.#body;
    try {
      if (typeof body === "string" || body instanceof Uint8Array)
        this.#peer.send({ type: "data", bytes: body });
      else await this.#pump(sourceOf(body));
      // The connection may belong to another request by now.
      if (this.#stopped) return;
      const trailers = this.#trailers;
      this.#peer.send({ type: "end", trailers: typeof trailers === "function" ? trailers() : trailers });
      this.#state = "sent";
    } catch (error) {
      if (this.#stopped) return;
      this.stop();
      this.#owner.onUploadFailed(error);
      return;
    }
    this.#owner.onUploaded();
  }

  async #pump(source: Source): Promise<void> {
    this.#source = source;
    await sendPieces(source, source.next(), this.#peer, true, () => !this.#stopped);
    if (!this.#stopped) this.#source = undefined;
  }

  get #stopped(): boolean {
    return this.#state === "stopped";
  }
}
