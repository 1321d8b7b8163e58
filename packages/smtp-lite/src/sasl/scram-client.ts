// The client of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding: it proves that it knows the password, and has the
// server prove that it knows its keys.
import { decodeText, equalSecrets, malformed, refused } from "./bytes.ts";
import type { SaslClient, SaslClientStep, SaslFailure } from "./exchange.ts";
import { clientKey, hmac, MIN_ITERATIONS, saltPassword, serverKey, sha256, xor } from "./scram-keys.ts";
import { escapeName, parseServerFinal, parseServerFirst } from "./scram-messages.ts";

/** "n": we do no channel binding, and act as nobody but ourselves (RFC 5802 section 6). */
const HEADER = "n,,";

export interface ScramClientOptions {
  readonly nonce: () => string;
  readonly maxIterations: number;
}

type State =
  | { readonly type: "opening" }
  /** Our proof is out; the server owes this signature. */
  | { readonly type: "proving"; readonly signature: Buffer }
  /** Both sides have proved themselves. */
  | { readonly type: "done" };

export class ScramClient implements SaslClient {
  readonly mechanism = "SCRAM-SHA-256";
  readonly initialResponse: Buffer;
  readonly #password: string;
  readonly #maxIterations: number;
  readonly #nonce: string;
  readonly #bare: string;
  #state: State = { type: "opening" };

  /** Both strings prepared. */
  constructor(username: string, password: string, { nonce, maxIterations }: ScramClientOptions) {
    this.#password = password;
    this.#maxIterations = maxIterations;
    this.#nonce = nonce();
    this.#bare = `n=${escapeName(username)},r=${this.#nonce}`;
    this.initialResponse = Buffer.from(HEADER + this.#bare);
  }

  step(challenge: Uint8Array): SaslClientStep {
    const text = decodeText(challenge);
    if (text === undefined) return malformed("the server's message is not UTF-8");
    switch (this.#state.type) {
      case "opening":
        return this.#prove(text);
      case "proving":
        return this.#check(text, this.#state.signature);
      case "done":
        return malformed("the server goes on after the end of SCRAM");
    }
  }

  succeeded(): SaslFailure | undefined {
    // Section 3: without the signature this may be anybody who says yes to everything.
    return this.#state.type === "done" ? undefined : refused("the server has not proved that it knows us");
  }

  #prove(serverFirst: string): SaslClientStep {
    const first = parseServerFirst(serverFirst);
    if (first === undefined) return malformed("no first message of a SCRAM server");
    const { nonce, salt, iterations } = first;
    // Section 5.1: ours, and something of the server's behind it.
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce)
      return refused("the server's nonce is not ours");
    // Fewer make a stolen exchange cheap to guess from (RFC 7677 section 4); too many only make us work.
    if (iterations < MIN_ITERATIONS || iterations > this.#maxIterations) {
      return refused(
        `the server wants ${iterations} iterations, not ${MIN_ITERATIONS} to ${this.#maxIterations}`,
      );
    }
    const withoutProof = `c=${Buffer.from(HEADER).toString("base64")},r=${nonce}`;
    const authMessage = `${this.#bare},${serverFirst},${withoutProof}`;
    const salted = saltPassword(this.#password, salt, iterations);
    const key = clientKey(salted);
    const proof = xor(key, hmac(sha256(key), authMessage)).toString("base64");
    this.#state = { type: "proving", signature: hmac(serverKey(salted), authMessage) };
    return { type: "response", bytes: Buffer.from(`${withoutProof},p=${proof}`) };
  }

  #check(serverFinal: string, signature: Buffer): SaslClientStep {
    const final = parseServerFinal(serverFinal);
    if (final === undefined) return malformed("no final message of a SCRAM server");
    if ("error" in final) return refused(`the server refused: ${final.error.replaceAll(/[^ -~]/g, ".")}`);
    if (!equalSecrets(final.signature, signature)) return refused("the server does not know our password");
    this.#state = { type: "done" };
    return { type: "response", bytes: Buffer.alloc(0) };
  }
}
