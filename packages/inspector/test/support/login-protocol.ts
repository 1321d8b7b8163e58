// A protocol of three words for the tests: it has tokens, a secret, states and a greeting, so that everything the
// page shows can be seen.
import { assertNever, ByteQueue, LineFramer } from "@tcpkit/core";
import type { Description, Protocol, Session, Span } from "@tcpkit/core";

export type LoginEvent = Span &
  (
    | { readonly type: "greeting" }
    | { readonly type: "login"; readonly name: string; readonly password: string }
    | { readonly type: "say"; readonly text: string }
  );

class LoginSession implements Session<LoginEvent, string> {
  state = "new";
  finished = false;
  readonly #queue = new ByteQueue();
  readonly #framer = new LineFramer(this.#queue, {});

  get partial(): boolean {
    return this.#queue.length > 0;
  }

  receive(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  next(): LoginEvent | undefined {
    if (this.state === "new") {
      this.state = "greeted";
      return { type: "greeting", start: 0, end: 0 };
    }
    const line = this.#framer.take();
    if (line === undefined) return undefined;
    const { start, end } = line;
    const [word = "", name = "", password = ""] = line.bytes.toString("utf8").split(" ");
    if (word !== "LOGIN") return { type: "say", text: word, start, end };
    this.state = "named";
    return { type: "login", name, password, start, end };
  }

  send(reply: string): string {
    return `${reply}\r\n`;
  }

  end(): void {}
}

function describe(event: LoginEvent): Description {
  const { type, start } = event;
  switch (event.type) {
    case "greeting":
      return { type, text: "a new connection" };
    case "login": {
      const name = { name: "name", start: start + 6, end: start + 6 + event.name.length };
      const password = { name: "password", start: name.end + 1, end: name.end + 1 + event.password.length };
      const command = { name: "command", start, end: start + 5 };
      return {
        type,
        text: `LOGIN ${event.name} [hidden]`,
        tokens: [command, name, password],
        secrets: [password],
      };
    }
    case "say":
      return { type, text: event.text, tokens: [{ name: "text", start, end: start + event.text.length }] };
    default:
      return assertNever(event);
  }
}

export const loginProtocol: Protocol<LoginEvent, string> = {
  name: "login",
  session: () => new LoginSession(),
  describeEvent: describe,
  describeReply: (reply) => ({ type: "reply", text: reply }),
};

/** Answers every event of the protocol. */
export function answerLogin(event: LoginEvent): string {
  switch (event.type) {
    case "greeting":
      return "HELLO";
    case "login":
      return `WELCOME ${event.name}`;
    case "say":
      return `YOU SAID ${event.text}`;
    default:
      return assertNever(event);
  }
}
