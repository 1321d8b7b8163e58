// One client's conversation with a server that misbehaves. It carries faults out; which one is due, it asks.
import { assertNever } from "@tcpkit/core";
import type { Clock, Connection, Handled, Handler, Peer, Session } from "@tcpkit/core";
import type { Path } from "./address.ts";
import type { Reply } from "./codes.ts";
import { SmtpError } from "./errors.ts";
import type { EndFault, FaultStage } from "./fault-rules.ts";
import { formatReply } from "./reply.ts";
import type { SmtpEvent } from "./server-events.ts";
import { replyTo } from "./violations.ts";
import { asGreeting } from "./welcome.ts";

/** What is known where a fault may happen. */
export interface Moment {
  readonly stage: FaultStage;
  readonly remoteAddress: string;
  /** At `ehlo`. */
  readonly name: string;
  /** At `auth`. */
  readonly mechanism: string;
  readonly from: Path | null;
  /** At `rcpt` the one in question, from `data` on those that were accepted. */
  readonly to: readonly Path[];
}

export class FaultyConversation {
  readonly #connection: Connection;
  readonly #handler: Handler<SmtpEvent, Reply>;
  readonly #clock: Clock;
  readonly #find: (moment: Moment) => EndFault | undefined;
  /** Replies whose bytes have left already, drop by drop. */
  readonly #dripped = new WeakSet<Reply>();
  #from: Path | null = null;
  #to: Path[] = [];

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
  }

  /** The same session, which says nothing for a reply that has been dripped: it only moves on. */
  quiet(session: Session<SmtpEvent, Reply>): Session<SmtpEvent, Reply> {
    const send = session.send.bind(session);
    session.send = (reply) => {
      const output = send(reply);
      // Unless the session has something else to say: that the client spoke too early.
      return this.#dripped.has(reply) && output === formatReply(reply) ? "" : output;
    };
    return session;
  }

  readonly handle = (event: SmtpEvent, peer: Peer<Reply>): Handled<Reply> => {
    const moment = this.#momentOf(event);
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
        await this.#pass(event, peer);
        this.#connection.destroy({ kind: "local" });
        return undefined;
      case "delay":
        await this.#wait(fault.milliseconds);
        if (!this.#connection.writable) return undefined;
        return (await this.#pass(event, peer)) ?? undefined;
      case "drip": {
        const reply = await this.#pass(event, peer);
        return reply === undefined ? undefined : this.#drip(reply, fault.milliseconds);
      }
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

  async #drip(reply: Reply, milliseconds: number): Promise<Reply | undefined> {
    for (const byte of formatReply(reply)) {
      await this.#wait(milliseconds);
      if (!this.#connection.writable) return undefined;
      this.#connection.write(byte, "latin1");
    }
    // A copy: the ready-made replies are shared.
    const { code, enhanced, lines } = reply;
    const dripped: Reply = enhanced === undefined ? { code, lines } : { code, enhanced, lines };
    this.#dripped.add(dripped);
    return dripped;
  }

  /** Waits, but not for a client that is gone. */
  #wait(milliseconds: number): Promise<void> {
    const connection = this.#connection;
    return new Promise((resolve) => {
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
        this.#note(event, reply ?? undefined);
        return reply;
      });
    }
    this.#note(event, handled ?? undefined);
    return handled;
  }

  #note(event: SmtpEvent, reply: Reply | undefined): void {
    const accepted = reply !== undefined && reply.code < 400;
    switch (event.type) {
      case "mail":
        if (!accepted) return;
        this.#from = event.from;
        this.#to = [];
        return;
      case "rcpt":
        if (accepted) this.#to.push(event.to);
        return;
      case "ehlo":
      case "helo":
      case "lhlo":
      case "rset":
      case "starttls":
      case "message-end":
        this.#from = null;
        this.#to = [];
        return;
      default:
    }
  }

  #momentOf(event: SmtpEvent): Moment | undefined {
    const stage = STAGES[event.type];
    if (stage === undefined) return undefined;
    const { remote } = this.#connection;
    return {
      stage,
      remoteAddress: remote?.kind === "tcp" ? remote.host : "",
      name: "name" in event ? event.name : "",
      mechanism: "mechanism" in event ? event.mechanism : "",
      from: event.type === "mail" ? event.from : this.#from,
      to: event.type === "rcpt" ? [event.to] : [...this.#to],
    };
  }
}

const STAGES: Readonly<Partial<Record<SmtpEvent["type"], FaultStage>>> = {
  greeting: "connect",
  ehlo: "ehlo",
  helo: "ehlo",
  lhlo: "ehlo",
  auth: "auth",
  mail: "mail",
  rcpt: "rcpt",
  message: "data",
  "message-end": "end",
};
