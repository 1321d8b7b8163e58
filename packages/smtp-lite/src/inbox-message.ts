// A message as a test looks at it: whole, in memory, and decoded when asked. It knows no server.
import type { Envelope } from "./envelope.ts";
import { splitMessage } from "./header.ts";
import type { MessageHeader } from "./header.ts";
import { findText } from "./mime-text.ts";

/** A message that a test inbox got. */
export class InboxMessage {
  /** Which one it was: 1 for the inbox's first. Give it as `after`, to wait for those that come later. */
  readonly cursor: number;
  readonly envelope: Envelope;
  /** The content as it was sent, dots taken off. */
  readonly raw: Buffer;
  #header: MessageHeader | undefined;

  /** @internal */
  constructor(cursor: number, envelope: Envelope, raw: Buffer) {
    this.cursor = cursor;
    this.envelope = envelope;
    this.raw = raw;
  }

  /** The header: unfolded, encoded words decoded (RFC 2047). */
  get header(): MessageHeader {
    this.#header ??= splitMessage(this.raw).header;
    return this.#header;
  }

  /** The subject, decoded; empty when there is none. */
  get subject(): string {
    return this.header.get("Subject") ?? "";
  }

  /** The first `text/plain` part that is no attachment, decoded, its lines ending in `\n`; `undefined` without one. */
  get text(): string | undefined {
    return findText(this.raw, "plain");
  }

  /** As `text`, for `text/html`. */
  get html(): string | undefined {
    return findText(this.raw, "html");
  }

  /** One line: `#1 <ann@example.com> to <bob@example.org> "Hello"`. */
  toString(): string {
    const { from, to } = this.envelope;
    const recipients = to.map(({ address }) => `<${address}>`).join(", ");
    return `#${this.cursor} <${from?.address ?? ""}> to ${recipients} ${JSON.stringify(this.subject)}`;
  }
}
