// Mail kept in memory, for a demo server without a directory: the newest, within one bound for everything. It knows
// bytes and counts; it knows no SMTP.

export interface MailboxLimits {
  /** Most mails kept; the oldest goes first. */
  readonly count: number;
  /** Most bytes, of kept mails and of those still coming in together. */
  readonly bytes: number;
}

/** A day's tries by hand; two of the largest messages that smtp-lite takes, or a thousand usual ones. */
const defaultMailboxLimits: MailboxLimits = { count: 100, bytes: 64 * 1024 * 1024 };

/** There is no room for a mail, even without all the others. */
export class MailboxFull extends Error {
  override readonly name = "MailboxFull";
}

/** What a draft holds at first; most mails are not longer. */
const FIRST = 4096;

export class Mailbox {
  readonly #limits: MailboxLimits;
  readonly #kept: Buffer[] = [];
  #bytes = 0;

  constructor(limits: MailboxLimits = defaultMailboxLimits) {
    this.#limits = limits;
  }

  /** The mails kept, oldest first. */
  get mails(): readonly Buffer[] {
    return this.#kept;
  }

  /** What all of it costs, in bytes; drafts included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A mail that is coming in. */
  draft(): Draft {
    return new Draft(this);
  }

  /** @internal Makes room, by letting the oldest go. @throws MailboxFull when that does not help. */
  reserve(bytes: number): void {
    while (this.#bytes + bytes > this.#limits.bytes) {
      if (!this.#forgetOldest()) throw new MailboxFull("no room for the mail");
    }
    this.#bytes += bytes;
  }

  /** @internal */
  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** @internal */
  keep(mail: Buffer): void {
    this.#kept.push(mail);
    while (this.#kept.length > this.#limits.count) this.#forgetOldest();
  }

  #forgetOldest(): boolean {
    const oldest = this.#kept.shift();
    if (oldest !== undefined) this.#bytes -= oldest.length;
    return oldest !== undefined;
  }
}

/** Collects one mail by copying it: a small piece would hold the whole chunk that it came in. */
export class Draft {
  readonly #mailbox: Mailbox;
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
  }

  /** @throws MailboxFull */
  add(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) this.#grow(Math.max(needed, this.#buffer.length * 2, FIRST));
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }

  /** The mail is whole: it stays. */
  keep(): void {
    const mail = Buffer.from(this.#buffer.subarray(0, this.#length));
    this.drop();
    this.#mailbox.reserve(mail.length);
    this.#mailbox.keep(mail);
  }

  /** The mail will not be whole, or is kept elsewhere. */
  drop(): void {
    this.#mailbox.release(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
  }

  #grow(capacity: number): void {
    this.#mailbox.reserve(capacity - this.#buffer.length);
    const larger = Buffer.allocUnsafeSlow(capacity);
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
