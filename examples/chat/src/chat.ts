// A chat of lines between many clients: `node examples/chat/src/chat.ts [PORT]`, and then `nc 127.0.0.1 PORT` twice.
// It knows names and who is there; bytes, lines and closing are core's. Its lesson is a reader that stops reading:
// what we write to it piles up in our memory. Nobody waits for it, and past a bound it is dropped, with a reason.
import { createListener, drive, formatAddress, lines } from "@tcpkit/core";
import type { CloseReason, Listener, ListenOptions, Peer } from "@tcpkit/core";

export interface ChatOptions extends ListenOptions {
  /** How far a reader may fall behind before it is dropped, in bytes. Default: 262,144. */
  readonly backlog?: number | undefined;
}

/** Serves the chat. @throws TcpError as `listen`. */
export function serveChat({ backlog = 262_144, ...options }: ChatOptions = {}): Promise<Listener> {
  const room = new Room(backlog);
  const protocol = lines({ maxLength: 2048 });
  const listener = createListener({ service: "chat", maxConnections: 1000, ...options });
  listener.on("connection", (connection) => {
    let name: string | undefined;
    const peer = drive(
      connection,
      protocol,
      ({ text }, peer) => {
        const said = printable(text).trim();
        if (name !== undefined) return room.say(name, said);
        const problem = room.join(said, peer);
        if (problem === undefined) name = said;
        return problem;
      },
      { deadlines: { idle: 30 * 60_000 } },
    );
    peer.send("Welcome! What is your name?");
    connection.on("close", (reason) => {
      if (name !== undefined) room.leave(name, reason);
    });
  });
  return listener.listen();
}

/** Who is there, by name. */
class Room {
  readonly #members = new Map<string, Peer<string>>();
  readonly #backlog: number;

  constructor(backlog: number) {
    this.#backlog = backlog;
  }

  /** Lets somebody in, or says why not. */
  join(name: string, peer: Peer<string>): string | undefined {
    if (!/^[\p{L}\p{N}_-]{1,20}$/u.test(name)) return "A name has 1 to 20 letters, digits, _ or -. Yours?";
    if (this.#members.has(name)) return `${name} is taken. Another name?`;
    this.#broadcast(`* ${name} has joined`);
    const others = this.#who();
    this.#members.set(name, peer);
    peer.send(`* Hello ${name}. Here: ${others || "nobody else"}. /who lists names, Ctrl-C leaves.`);
    return undefined;
  }

  /** Passes on what a member says. What is returned goes to that member alone. */
  say(name: string, text: string): string | undefined {
    if (text === "/who") return `* Here: ${this.#who()}`;
    if (text !== "") this.#broadcast(`<${name}> ${text}`, name);
    return undefined;
  }

  leave(name: string, reason: CloseReason): void {
    this.#members.delete(name);
    this.#broadcast(`* ${name} ${farewell(reason)}`);
  }

  #broadcast(text: string, except?: string): void {
    for (const [name, peer] of this.#members) {
      if (name === except) continue;
      // `false` means "slow". A producer that can wait does so (`peer.drained()`); a chat must not, or the slowest
      // reader would set the pace for all. So it goes on, up to a bound.
      if (peer.send(text) || peer.connection.bytesBuffered <= this.#backlog) continue;
      peer.connection.destroy({ kind: "aborted", cause: new Error("reads too slowly") });
    }
  }

  #who(): string {
    return [...this.#members.keys()].join(", ");
  }
}

function farewell(reason: CloseReason): string {
  switch (reason.kind) {
    case "ended":
    case "local":
      return "has left";
    case "reset":
      return "has vanished";
    case "timeout":
      return "was silent for too long";
    case "protocol":
    case "aborted":
      return `was dropped: ${reason.cause?.message ?? "no reason given"}`;
  }
}

/** Control characters would let one member write on another's terminal as he likes. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\u{FFFD}");
}

if (import.meta.main) {
  const chat = await serveChat({ port: Number(process.argv[2] ?? 4000) });
  console.log(`chat listens on ${formatAddress(chat.address)}; Ctrl-C stops`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void chat.close());
}
