// The clients of PLAIN (RFC 4616) and LOGIN, which tell the password: for TLS only. Their grammar is in password-server.ts.
import { malformed } from "./bytes.ts";
import type { SaslClient, SaslClientStep } from "./exchange.ts";

export class PlainClient implements SaslClient {
  readonly mechanism = "PLAIN";
  readonly initialResponse: Buffer;

  constructor(username: string, password: string) {
    this.initialResponse = Buffer.from(`\0${username}\0${password}`);
  }

  step(): SaslClientStep {
    return malformed("PLAIN has no challenge");
  }

  succeeded(): undefined {
    return undefined;
  }
}

export class LoginClient implements SaslClient {
  readonly mechanism = "LOGIN";
  readonly initialResponse: undefined;
  /** What the server still has to hear. It asks for one after the other; its words differ and do not matter. */
  readonly #answers: string[];

  constructor(username: string, password: string) {
    this.#answers = [username, password];
  }

  step(): SaslClientStep {
    const answer = this.#answers.shift();
    if (answer === undefined) return malformed("LOGIN has two challenges");
    return { type: "response", bytes: Buffer.from(answer) };
  }

  succeeded(): undefined {
    return undefined;
  }
}
