// Tells the tap what the driver sees: messages with their spans, changes of state, and when a handler is done. Made only
// when there is a tap that wants to know.
import { asBuffer } from "../bytes.ts";
import type { Handler } from "../handler.ts";
import type { Description, Output, Protocol, Session, Span } from "../protocol.ts";
import type { Direction, Tap } from "./record.ts";

/** Watches one session on behalf of a tap. */
export class MessageObserver<Event extends Span, Reply> {
  readonly #tap: Tap;
  readonly #conn: number;
  readonly #protocol: Protocol<Event, Reply>;
  readonly #session: Session<Event, Reply>;
  #state: string;
  /** The type of the latest event. */
  #type = "";
  #sent = 0;

  constructor(tap: Tap, conn: number, protocol: Protocol<Event, Reply>, session: Session<Event, Reply>) {
    this.#tap = tap;
    this.#conn = conn;
    this.#protocol = protocol;
    this.#session = session;
    this.#state = session.state;
  }

  /** An event was pulled. */
  event(event: Event): void {
    const description = this.#protocol.describeEvent?.(event) ?? describe(event);
    this.#type = description.type;
    this.#message("in", { start: event.start, end: event.end }, description);
  }

  /** The handler itself, or, for a tap that measures handlers, the same with a word to it before and after. */
  watch(handler: Handler<Event, Reply>): Handler<Event, Reply> {
    if (this.#tap.handling === undefined) return handler;
    return (event, peer) => {
      const done = this.#tap.handling?.(this.#conn, this.#type);
      const failed = (error: unknown): void =>
        done?.(error instanceof Error ? error : new Error(String(error)));
      try {
        const handled = handler(event, peer);
        if (handled instanceof Promise) handled.then(() => done?.(), failed);
        else done?.();
        return handled;
      } catch (error) {
        failed(error);
        throw error;
      }
    };
  }

  /** A reply became bytes. */
  reply(reply: Reply, output: Output): void {
    const start = this.#sent;
    const description = this.#protocol.describeReply?.(reply, output, start) ?? describe(reply);
    this.#sent += outputLength(output);
    this.#message("out", { start, end: this.#sent }, description);
  }

  #message(dir: Direction, span: Span, description: Description): void {
    this.#tap.observe({ kind: "message", conn: this.#conn, dir, span, ...description });
    const from = this.#state;
    const to = this.#session.state;
    if (from === to) return;
    this.#state = to;
    this.#tap.observe({ kind: "state", conn: this.#conn, from, to, why: description.type });
  }
}

function outputLength(output: Output): number {
  if (typeof output === "string" || output instanceof Uint8Array) return output.length;
  let length = 0;
  for (const piece of output) length += piece.length;
  return length;
}

/** A plain description for protocols that give none: the type, and the first bytes as text. */
function describe(value: unknown): Description {
  if (typeof value === "string") return { type: "text", text: shorten(value) };
  if (value instanceof Uint8Array)
    return { type: "bytes", text: shorten(asBuffer(value).toString("latin1", 0, 80)) };
  if (typeof value === "object" && value !== null) {
    const type = "type" in value && typeof value.type === "string" ? value.type : "message";
    const bytes = "bytes" in value && value.bytes instanceof Uint8Array ? asBuffer(value.bytes) : undefined;
    return { type, text: bytes === undefined ? type : shorten(bytes.toString("latin1", 0, 80)) };
  }
  return { type: "message", text: String(value) };
}

function shorten(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is to be hidden
  const printable = text.slice(0, 80).replace(/[\u0000-\u001f\u007f]/g, "·");
  return text.length > 80 ? `${printable}…` : printable;
}
