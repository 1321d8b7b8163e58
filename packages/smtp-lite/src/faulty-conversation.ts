// One client's conversation with a server that misbehaves. It carries faults out; which one is due, it asks.
import { assertNever } from "@tcpkit/core";
import type { Clock, Connection, Handled, Handler, Peer, Session } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import { SmtpError } from "./errors.ts";
import { MomentTracker } from "./fault-moment.ts";
import type { Moment } from "./fault-moment.ts";
import type { EndFault } from "./fault-rules.ts";
import { formatReply } from "./reply.ts";
import type { SmtpEvent } from "./server-events.ts";
import { replyTo } from "./violations.ts";
import { asGreeting } from "./welcome.ts";

export class FaultyConversation {
  readonly #connection: Connection;
  readonly #handler: Handler<SmtpEvent, Reply>;
  readonly #clock: Clock;
  readonly #find: (moment: Moment) => EndFault | undefined;
  readonly #moments: MomentTracker;
  /** The reply that is sent next, where its bytes have left already, drop by drop. */
  #dripped: Reply | undefined;

  constructor(
    connection: Connection,
    handler: Handler<SmtpEvent, Reply>,
    clock: Clock,
    find: (moment: Moment) => EndFault | undefined,
  ) {
    this.#connection = connection;
    this.#handler = handler;
    this.#clock = clock;
    this.#find = find;
    this.#moments = new MomentTracker(connection.remote);
  }

  /** The same session, which says nothing for a reply that has been dripped: it only moves on. */
  quiet(session: Session<SmtpEvent, Reply>): Session<SmtpEvent, Reply> {
    const send = session.send.bind(session);
    session.send = (reply) => {
      const output = send(reply);
      const dripped = reply === this.#dripped;
      this.#dripped = undefined;
      // Unless the session has something else to say: that the client spoke too early.
      return dripped && output === formatReply(reply) ? "" : output;
    };
    return session;
  }

  readonly handle = (event: SmtpEvent, peer: Peer<Reply>): Handled<Reply> => {
    const moment = this.#moments.of(event);
    const fault = moment === undefined ? undefined : this.#find(moment);
    return fault === undefined ? this.#pass(event, peer) : this.#carryOut(fault, event, peer);
  };

  async #carryOut(fault: EndFault, event: SmtpEvent, peer: Peer<Reply>): Promise<Reply | undefined> {
    switch (fault.type) {
      case "reply":
        return this.#refuse(fault.reply, event, peer);
      case "drop":
        this.#connection.destroy({ kind: "local" });
        return undefined;
      case "lose-reply":
        await this.#pass(event, gathering(peer, []));
        this.#connection.destroy({ kind: "local" });
        return undefined;
      case "delay":
        await this.#wait(fault.milliseconds);
        if (!this.#connection.writable) return undefined;
        return (await this.#pass(event, peer)) ?? undefined;
      case "drip":
        return this.#dripAll(event, peer, fault.milliseconds);
      default:
        return assertNever(fault);
    }
  }

  /** Refuses in place of the server, so that neither side believes that anything was accepted. */
  async #refuse(reply: Reply, event: SmtpEvent, peer: Peer<Reply>): Promise<Reply | undefined> {
    if (event.type === "greeting") return asGreeting(reply);
    if (event.type === "message") {
      // A refused DATA ends the transaction (state.ts): the server has to forget it too.
      await this.#pass({ type: "rset", line: "RSET", start: event.start, end: event.end }, peer);
      return reply;
    }
    if (event.type === "message-end") {
      // Whoever reads the body hears that it must not be kept.
      const fault = new SmtpError("refused", "a fault refuses the message", { blame: "local", reply });
      return (await this.#pass({ ...event, problem: event.problem ?? fault }, peer)) ?? undefined;
    }
    return replyTo(event.type, reply);
  }

  /** At the end of a message, LMTP has a reply for each recipient. */
  async #dripAll(event: SmtpEvent, peer: Peer<Reply>, milliseconds: number): Promise<Reply | undefined> {
    const replies: Reply[] = [];
    const last = await this.#pass(event, gathering(peer, replies));
    for (const reply of replies) {
      await this.#drip(reply, milliseconds);
      peer.send(reply);
    }
    if (last === undefined) return undefined;
    await this.#drip(last, milliseconds);
    return last;
  }

  /** Its bytes leave here: all that is left to do is to tell the session that it was sent. */
  async #drip(reply: Reply, milliseconds: number): Promise<void> {
    for (const byte of formatReply(reply)) {
      await this.#wait(milliseconds);
      if (!this.#connection.writable) return;
      this.#connection.write(byte, "latin1");
    }
    this.#dripped = reply;
  }

  /** Waits, but not for a client that is gone. */
  async #wait(milliseconds: number): Promise<void> {
    const connection = this.#connection;
    if (!connection.writable) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stop();
        connection.off("close", done);
        resolve();
      };
      const stop = this.#clock.every(Math.max(milliseconds, 1), done, true);
      connection.on("close", done);
    });
  }

  /** What the server itself says, while we note how far the message has come. */
  #pass(event: SmtpEvent, peer: Peer<Reply>): Handled<Reply> {
    const handled = this.#handler(event, peer);
    if (handled instanceof Promise) {
      return handled.then((reply) => {
        this.#moments.note(event, reply ?? undefined);
        return reply;
      });
    }
    this.#moments.note(event, handled ?? undefined);
    return handled;
  }
}

/** A peer to whom nothing is said: the replies are gathered. */
function gathering(peer: Peer<Reply>, replies: Reply[]): Peer<Reply> {
  return {
    connection: peer.connection,
    send: (reply) => replies.push(reply) > 0,
    drained: () => peer.drained(),
    startTls: (...how) => peer.startTls(...how),
    takeOver: () => peer.takeOver(),
    close: () => peer.close(),
  };
}
