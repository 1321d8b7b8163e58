// The only loop: pull an event, run the handler, send its reply, pull the next. It joins a connection and a session
// and knows neither's inside: no parsing here, no sockets there.
import type { Duplex } from "node:stream";
import type { Connection } from "./connection.ts";
import { ConnectionStream } from "./connection-stream.ts";
import type { CloseReason } from "./close-reason.ts";
import type { Driven } from "./driven.ts";
import { TcpError } from "./errors.ts";
import type { DriveOptions, Handler, Peer } from "./handler.ts";
import { isPromise } from "./is-promise.ts";
import { MessageObserver } from "./observe/message-observer.ts";
import { Outbox } from "./outbox.ts";
import { PeerDeadline } from "./peer-deadline.ts";
import type { Awaited, Waiting } from "./peer-deadline.ts";
import type { Output, Protocol, Session, Span } from "./protocol.ts";
import type { StartTls } from "./tls/options.ts";

/** Runs a protocol on a connection until either ends. */
export function drive<Event extends Span, Reply>(
  connection: Connection,
  protocol: Protocol<Event, Reply>,
  handler: Handler<Event, Reply>,
  options: DriveOptions = {},
): Peer<Reply> {
  return new Driver(connection, protocol, handler, options);
}

class Driver<Event extends Span, Reply> implements Peer<Reply>, Driven, Waiting {
  readonly connection: Connection;
  readonly #session: Session<Event, Reply>;
  readonly #handler: Handler<Event, Reply>;
  readonly #outbox: Outbox;
  readonly #observer: MessageObserver<Event, Reply> | undefined;
  readonly #deadline: PeerDeadline;
  readonly #pullWhileSlow: boolean;
  /** A handler's promise is pending. */
  #pending = false;
  /** A TLS handshake is under way. */
  #securing = false;
  /** Events of this turn are being pulled: replies are collected, and leave together. */
  #pulling = false;
  #peerEnded = false;
  #draining = false;
  #expired: Awaited | undefined;
  #closing = false;
  #finished = false;

  constructor(
    connection: Connection,
    protocol: Protocol<Event, Reply>,
    handler: Handler<Event, Reply>,
    { deadlines, pullWhileSlow = false }: DriveOptions,
  ) {
    this.connection = connection;
    this.#session = protocol.session();
    this.#handler = handler;
    this.#deadline = new PeerDeadline(connection.timer, deadlines, this);
    this.#outbox = new Outbox(connection, this.#deadline.times.write);
    this.#pullWhileSlow = pullWhileSlow;
    const { tap } = connection;
    if (tap !== undefined && tap.messages !== false) {
      this.#observer = new MessageObserver(tap, connection.id, protocol, this.#session);
      this.#handler = this.#observer.watch(handler);
    }
    connection.allowHalfOpen = true;
    connection.driver = this;
    this.#pull();
  }

  send(reply: Reply): boolean {
    if (!this.connection.writable) return false;
    const owed = !this.#pulling && this.#session.owing === true;
    const output: Output = this.#session.send(reply);
    this.#observer?.reply(reply, output);
    this.#outbox.add(output);
    if (this.#pulling) return this.#outbox.ready;
    const ready = this.#outbox.flush();
    // Sent by a handler that works beside the events: it may have been the last word, or what the peer has waited for.
    if (this.#session.finished || owed) this.#pull();
    return ready;
  }

  drained(): Promise<void> {
    return this.#outbox.drained();
  }

  startTls(...how: StartTls): Promise<void> {
    const session = this.#session;
    if (session.forget === undefined) {
      return Promise.reject(new TcpError("bad-option", "startTls() needs a session that can forget()"));
    }
    this.#outbox.flush();
    session.forget();
    this.#securing = true;
    const done = this.connection.startTls(...how);
    done.then(
      () => this.#onSecured(),
      (error: unknown) => this.#onUnsecured(error),
    );
    return done;
  }

  takeOver(): Duplex {
    const { connection } = this;
    const session = this.#session;
    if (session.rest === undefined) {
      throw new TcpError("bad-option", "takeOver() needs a session that gives up its rest()");
    }
    this.#outbox.flush();
    this.#outbox.close();
    this.#finished = true;
    this.#deadline[Symbol.dispose]();
    return new ConnectionStream(connection, session.rest(), this.#peerEnded);
  }

  close(): void {
    this.#closing = true;
    this.#pull();
  }

  onData(chunk: Buffer): void {
    // Nothing more is pulled.
    if (this.#closing) return;
    this.#session.receive(chunk);
    // While a handler works or the peer is slow, one chunk more is taken in, and then no more.
    if (this.#pending || !this.#open) this.connection.pause();
    else this.#pull();
  }

  onEnd(): void {
    this.#peerEnded = true;
    this.#session.end();
    this.#pull();
  }

  onDrain(): void {
    this.#outbox.onDrain();
    this.#pull();
  }

  onClose(): void {
    this.#finished = true;
    this.#deadline[Symbol.dispose]();
    this.#outbox.close();
  }

  flush(): void {
    this.#outbox.flush();
  }

  /** There is room for what a handler may answer, or none is needed. */
  get #open(): boolean {
    return this.#outbox.ready || this.#pullWhileSlow;
  }

  #pull(): void {
    if (this.#pending || this.#securing || this.#pulling || this.#finished) return;
    this.#pulling = true;
    try {
      while (!this.#session.finished && !this.#closing && this.#open) {
        const event = this.#session.next();
        if (event === undefined) break;
        this.#deadline.progress();
        this.#observer?.event(event);
        const handled = this.#handler(event, this);
        if (isPromise(handled)) {
          this.#pending = true;
          handled.then(
            (reply) => this.#onHandled(reply),
            (error: unknown) => this.#onFailed(error),
          );
          break;
        }
        if (handled !== undefined) this.send(handled);
        if (this.#securing || this.#finished) break;
      }
    } catch (error) {
      this.#onFailed(error);
    } finally {
      this.#pulling = false;
    }
    this.#rest();
  }

  #onSecured(): void {
    this.#securing = false;
    this.#pull();
  }

  /** Its failure is the connection's end already, unless it could not even begin. */
  #onUnsecured(error: unknown): void {
    this.#securing = false;
    if (this.connection.closeReason === undefined) this.#onFailed(error);
  }

  #onHandled(reply: Reply | undefined | void): void {
    this.#pending = false;
    if (reply !== undefined) this.#sendInTurn(reply);
    this.#pull();
  }

  /** A late reply leaves together with those of the turn that it begins. */
  #sendInTurn(reply: Reply): void {
    this.#pulling = true;
    try {
      this.send(reply);
    } catch (error) {
      this.#onFailed(error);
    } finally {
      this.#pulling = false;
    }
  }

  #onFailed(error: unknown): void {
    this.#pending = false;
    this.#finished = true;
    if (error instanceof TcpError && error.blame === "remote")
      this.#close({ kind: "protocol", cause: error });
    else this.connection.fail(error);
  }

  /** The turn is over: what was collected leaves, and then we wait, for a handler, the peer or nobody. */
  #rest(): void {
    const ready = this.#outbox.flush();
    if (this.#finished) return;
    if (this.#pending || this.#securing || !(ready || this.#pullWhileSlow)) this.#deadline.clear();
    else if (this.#session.finished || this.#expired !== undefined) this.#finish();
    else if (!ready) this.#waitForRoom();
    else if (this.#peerEnded || this.#closing || (this.#draining && this.#isOver())) this.#finish();
    else this.#wait();
  }

  #wait(): void {
    this.connection.resume();
    if (this.#session.owing === true) this.#deadline.clear();
    else this.#deadline.await(this.#awaited());
  }

  /** The peer is slow, and heard all the same. It need not say anything, but what it has begun it has to finish. */
  #waitForRoom(): void {
    this.connection.resume();
    if (this.#session.partial && !this.#peerEnded && !this.#closing) this.#deadline.await("message");
    else this.#deadline.clear();
  }

  /** While the listener drains: there is nothing to wait for. */
  #isOver(): boolean {
    const session = this.#session;
    if (session.notify === undefined) return !session.partial;
    return session.resting === true && this.#deadline.times.goodbye === 0;
  }

  #awaited(): Awaited {
    if (this.#session.partial) return "message";
    if (this.#draining && this.#session.resting === true) return "goodbye";
    return this.connection.bytesReceived === 0 ? "first-byte" : "idle";
  }

  #finish(): void {
    const { failure } = this.#session;
    // Nobody was late for a goodbye: it is we who end it.
    if (this.#expired !== undefined && this.#expired !== "goodbye")
      this.#close({ kind: "timeout", deadline: this.#expired });
    else if (failure !== undefined) this.#close({ kind: "protocol", cause: failure });
    else this.#close({ kind: this.#peerEnded ? "ended" : "local" });
  }

  #close(reason: CloseReason): void {
    this.#finished = true;
    this.#deadline.clear();
    this.#outbox.flush();
    this.connection.close(reason);
  }

  onGoodbye(): void {
    this.#draining = true;
    // There is no saying goodbye in the middle of a handshake.
    if (this.#securing) this.connection.destroy({ kind: "local" });
    this.#session.notify?.("drain");
    this.#pull();
  }

  onExpired(): void {
    this.#expired = this.#deadline.awaited;
    this.#session.notify?.("timeout");
    this.#pull();
  }
}
