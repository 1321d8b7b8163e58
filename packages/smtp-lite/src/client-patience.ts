// How long a client waits for its server: from the command on, and not while the server still takes what we send (RFC 5321
// section 4.5.3.2). It knows names of waits, not what they are for.
import { Deadline } from "@tcpkit/core";
import type { DeadlineTimer } from "@tcpkit/core";
import type { SmtpClientDeadlines } from "./client-options.ts";

/** What the server owes us: a reply, one to the end of a message, or one to QUIT. */
export type Awaited = "reply" | "end" | "goodbye";

/** In milliseconds. The first two as RFC 5321 section 4.5.3.2 asks; a goodbye is worth no long wait. */
const DEFAULT_TIMES = { reply: 300_000, end: 600_000, goodbye: 3000 };

export class ClientPatience implements Disposable {
  readonly #times: Readonly<Record<Awaited, number>>;
  readonly #deadline: Deadline;
  #awaited: Awaited | undefined;
  /** A reply came since the time was set. */
  #progress = false;
  /** The server has not taken what we sent. */
  #held = false;
  #over = false;

  constructor(
    timer: DeadlineTimer,
    { reply = DEFAULT_TIMES.reply, end = DEFAULT_TIMES.end }: SmtpClientDeadlines,
    onOver: (awaited: Awaited | undefined) => void,
  ) {
    this.#times = { ...DEFAULT_TIMES, reply, end };
    this.#deadline = new Deadline(timer, () => onOver(this.#awaited));
  }

  /** From now on, unless it was awaited already and no reply has come since; `undefined`: nothing is. */
  await(what: Awaited | undefined): void {
    if (what === this.#awaited && !this.#progress) return;
    this.#awaited = what;
    this.#progress = false;
    this.#start();
  }

  /** A reply came: what is awaited next has its whole time. */
  progress(): void {
    this.#progress = true;
  }

  /** The server has yet to take what we sent: it is busy with that. */
  hold(): void {
    this.#held = true;
    this.#deadline.clear();
  }

  /** It has taken it: now its time begins. */
  release(): void {
    this.#held = false;
    if (this.#awaited !== "goodbye") this.#start();
  }

  /** Whether it is on hold. */
  get held(): boolean {
    return this.#held;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    this.#deadline[Symbol.dispose]();
  }

  #start(): void {
    if (this.#over) return;
    const awaited = this.#awaited;
    // For a goodbye nobody waits long, whatever the server has yet to take.
    if (awaited === undefined || (this.#held && awaited !== "goodbye")) this.#deadline.clear();
    else this.#deadline.set(this.#times[awaited]);
  }
}
