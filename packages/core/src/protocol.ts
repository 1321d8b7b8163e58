// What a protocol is to this layer: a pure engine that turns bytes into events and replies into bytes.
// It knows nothing of sockets, timers or any one protocol.

/** Where something stands in one direction's byte stream: absolute offsets, in bytes, `[start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What goes on the wire: bytes, or a string in which each character is one byte (latin1), or several of these. */
export type Output = string | Uint8Array | readonly (string | Uint8Array)[];

/** What the driver may tell a session beside bytes: the server is shutting down, or the peer took too long. */
export type Notice = "drain" | "timeout";

/**
 * A protocol engine without I/O. Bytes go in by `receive`, events are pulled out by `next`, replies become
 * bytes by `send`. It sees no socket, no timer, no clock and no process, so that the same class serves server,
 * client, inspector and replay, and a test needs nothing but bytes.
 *
 * Every event carries its `start` and `end`: absolute offsets in the incoming byte stream.
 */
export interface Session<Event, Reply> {
  /** The name of the current state, for the event log. */
  readonly state: string;
  /** True while part of a message has arrived and the rest is awaited; between messages the peer is just idle. */
  readonly partial: boolean;
  /**
   * Optional, for protocols whose connections are kept between exchanges: true when neither side owes the other anything. A
   * drain gives such a connection the time of the `goodbye` deadline, and closes it then.
   */
  readonly resting?: boolean;
  /** Optional: true while the peer waits for something that we owe it. However long that takes, it is not late. */
  readonly owing?: boolean;
  /** Nothing more will be read or sent: close once what was sent has left. */
  readonly finished: boolean;
  /** The peer's violation of the protocol that made the session finish, if one did. */
  readonly failure?: Error | undefined;

  /** Takes bytes in. It keeps them without a copy, so they must not change afterwards. Never throws. */
  receive(bytes: Uint8Array): void;
  /** One event, or `undefined` for "more bytes are needed". It never skips one and never re-enters. */
  next(): Event | undefined;
  /** The bytes of a reply. @throws when the reply is not allowed in this state, before a byte is made. */
  send(reply: Reply): Output;
  /** The peer has ended its side. Events may still follow. */
  end(): void;
  /**
   * Optional: reacts to a notice, with an event (for instance one that the handler answers by a goodbye) or by
   * becoming `finished`. A session without it is closed by the driver.
   */
  notify?(notice: Notice): void;
  /**
   * Optional, for protocols with STARTTLS: the connection is about to be encrypted. Forget every byte that was received and
   * not yet pulled, a partial message too (else what an attacker put in as plain text would count as encrypted:
   * CVE-2021-38371), and what the protocol wants said again (RFC 3207, section 4.2). Offsets go on counting.
   */
  forget?(): void;
  /**
   * Optional, for protocols that hand their connection over to another one (HTTP's Upgrade and CONNECT): gives up every byte
   * that was received and not pulled. The session is not used any more.
   */
  rest?(): Uint8Array;
}

/** A named piece inside a message, for those who want to see the wire: `{ name: "method", start, end }`. */
export interface Token extends Span {
  readonly name: string;
}

/** How an event or a reply is shown in the event log. */
export interface Description {
  /** The kind of message: the `type` of the event or reply. */
  readonly type: string;
  /** One line for a person, already free of secrets and control characters. */
  readonly text: string;
  /** Named pieces with absolute offsets. */
  readonly tokens?: readonly Token[];
  /** Where secrets stand that must be blanked in recorded bytes. */
  readonly secrets?: readonly Span[];
}

/** A protocol as `serve` takes it: a name, a session for each connection, and how its messages read. */
export interface Protocol<Event extends Span, Reply> {
  readonly name: string;
  /** A fresh engine for one connection, in the server's role. */
  session(): Session<Event, Reply>;
  /** Describes an event for the event log. Called only when somebody watches. */
  describeEvent?(event: Event): Description;
  /**
   * Describes a reply for the event log: what the session made of it, and at which offset that begins in the outgoing bytes.
   * Called only when somebody watches.
   */
  describeReply?(reply: Reply, output: Output, start: number): Description;
}
