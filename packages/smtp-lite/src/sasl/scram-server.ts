// The server of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding. It knows what is proved by what; the characters
// are in scram-messages.ts, the keys in scram-keys.ts.
//
// Nobody learns here which users there are: for an unknown one the exchange goes on with keys that nothing fits, under a salt
// that depends on the name and on a secret, so that asking twice gives the same. A user whose password (not whose keys) is
// kept gets a salt made in the same way.
import { randomBytes } from "node:crypto";
import { decodeText, equalSecrets, malformed, readVerdict, refused } from "./bytes.ts";
import type { SaslServer, SaslServerStep } from "./exchange.ts";
import { saslprep } from "./saslprep.ts";
import { createScramKeys, hmac, saltPassword, sha256, xor } from "./scram-keys.ts";
import type { ScramKeys } from "./scram-keys.ts";
import { formatServerFirst, parseClientFinal, parseClientFirst } from "./scram-messages.ts";
import type { ClientFirst } from "./scram-messages.ts";
import { Verdict } from "./verdict.ts";

export interface ScramServerOptions {
  readonly nonce: () => string;
  /** For passwords and for unknown users; stored keys bring their own. */
  readonly iterations: number;
  /** Makes the salts of unknown users. */
  readonly decoyKey: Uint8Array;
}

/** What is fixed once the server's first message is out. */
interface Proof {
  readonly first: ClientFirst;
  readonly username: string;
  readonly nonce: string;
  readonly serverFirst: string;
  readonly keys: ScramKeys;
}

type State =
  | { readonly type: "opening" }
  /** The owner is being asked. */
  | { readonly type: "asked" }
  /** Our first message is out. */
  | { readonly type: "challenged"; readonly proof: Proof }
  /** The client has proved itself, and has our signature; it owes an empty message. */
  | { readonly type: "proved"; readonly username: string };

export class ScramServer implements SaslServer {
  readonly mechanism = "SCRAM-SHA-256";
  readonly #options: ScramServerOptions;
  #state: State = { type: "opening" };

  constructor(options: ScramServerOptions) {
    this.#options = options;
  }

  step(response: Uint8Array | undefined): SaslServerStep {
    const state = this.#state;
    if (response === undefined) {
      if (state.type !== "opening") return malformed("SCRAM-SHA-256 is under way");
      return { type: "challenge", bytes: Buffer.alloc(0) };
    }
    const text = decodeText(response);
    if (text === undefined) return malformed("SCRAM-SHA-256 takes UTF-8");
    switch (state.type) {
      case "opening":
        return this.#onFirst(text);
      case "challenged":
        return this.#onFinal(text, state.proof);
      case "proved": {
        // RFC 4954 section 4: success takes no data with it, so the signature went out as a challenge.
        if (text !== "") return malformed("nothing is left to be said");
        const { mechanism } = this;
        return { type: "success", identity: { mechanism, username: state.username } };
      }
      case "asked":
        return malformed("SCRAM-SHA-256 is under way");
    }
  }

  decide(verdict: Verdict): SaslServerStep {
    return readVerdict(verdict, this);
  }

  #onFirst(text: string): SaslServerStep {
    const first = parseClientFirst(text);
    if (first === undefined) return malformed("no first message of SCRAM");
    // Section 6: "y" means that the client can do it and believes that we cannot, which is so.
    if (first.wantsBinding) return refused("channel binding is not offered");
    const username = saslprep(first.username);
    if (username === undefined) return refused();
    if (first.authorizationId !== undefined && saslprep(first.authorizationId) !== username) return refused();
    this.#state = { type: "asked" };
    const go = (keys: ScramKeys): Verdict => Verdict.make(this, this.#challenge(first, username, keys));
    return {
      type: "verify",
      credentials: {
        mechanism: this.mechanism,
        username,
        check: (password) => go(this.#keysOf(username, password)),
        checkKeys: (keys) => go(keys ?? this.#decoy(username)),
        refuse: () => Verdict.make(this, refused()),
      },
    };
  }

  #challenge(first: ClientFirst, username: string, keys: ScramKeys): SaslServerStep {
    const nonce = first.nonce + this.#options.nonce();
    const serverFirst = formatServerFirst({
      nonce,
      salt: Buffer.from(keys.salt),
      iterations: keys.iterations,
    });
    this.#state = { type: "challenged", proof: { first, username, nonce, serverFirst, keys } };
    return { type: "challenge", bytes: Buffer.from(serverFirst) };
  }

  #onFinal(text: string, { first, username, nonce, serverFirst, keys }: Proof): SaslServerStep {
    const final = parseClientFinal(text);
    if (final === undefined) return malformed("no final message of SCRAM");
    // Section 5.1: both must be what they were, or somebody changed a message on the way.
    if (final.nonce !== nonce || final.header !== first.header) return refused();
    const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`;
    const claimed = xor(final.proof, hmac(keys.storedKey, authMessage));
    if (!equalSecrets(sha256(claimed), keys.storedKey)) return refused();
    this.#state = { type: "proved", username };
    const signature = hmac(keys.serverKey, authMessage).toString("base64");
    return { type: "challenge", bytes: Buffer.from(`v=${signature}`) };
  }

  #keysOf(username: string, password: string | undefined): ScramKeys {
    const decoy = this.#decoy(username);
    const { salt, iterations } = decoy;
    if (password !== undefined && saslprep(password) !== undefined) {
      return createScramKeys(password, { salt, iterations });
    }
    saltPassword("the same work as for a user that there is", salt, iterations);
    return decoy;
  }

  #decoy(username: string): ScramKeys {
    const salt = hmac(this.#options.decoyKey, username).subarray(0, 16);
    return {
      salt,
      iterations: this.#options.iterations,
      storedKey: randomBytes(32),
      serverKey: randomBytes(32),
    };
  }
}
