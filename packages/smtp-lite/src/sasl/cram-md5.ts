// CRAM-MD5, RFC 2195: the server sends a text never used before, the client its HMAC under the password. It is there for old
// clients: MD5 is weak, the server needs the password itself, and whoever listens can guess passwords at leisure.
//
//   challenge = "<" nonce "." time "@" host ">"
//   response  = user name SP HMAC-MD5(password, challenge) in lower-case hexadecimal
import { createHmac, randomBytes } from "node:crypto";
import { decodeText, equalSecrets, malformed, readVerdict, refused } from "./bytes.ts";
import type { SaslClient, SaslClientStep, SaslServer, SaslServerStep } from "./exchange.ts";
import { saslprep } from "./saslprep.ts";
import { Verdict } from "./verdict.ts";

export interface CramMd5ServerOptions {
  readonly hostname: string;
  readonly nonce: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class CramMd5Server implements SaslServer {
  readonly mechanism = "CRAM-MD5";
  readonly #challenge: string;
  #asked = false;

  constructor({ hostname, nonce, now }: CramMd5ServerOptions) {
    this.#challenge = `<${nonce()}.${now()}@${hostname}>`;
  }

  step(response: Uint8Array | undefined): SaslServerStep {
    if (!this.#asked) {
      // RFC 4954 section 4: where the server speaks first there is no initial response.
      if (response !== undefined) return malformed("CRAM-MD5 begins with the server's challenge");
      this.#asked = true;
      return { type: "challenge", bytes: Buffer.from(this.#challenge) };
    }
    const text = response === undefined ? undefined : decodeText(response);
    // The user name may have spaces, the digest has none.
    const space = text?.lastIndexOf(" ") ?? -1;
    const username = text?.slice(0, Math.max(space, 0)) ?? "";
    const digest = text?.slice(space + 1) ?? "";
    if (!/^\P{Cc}+$/u.test(username) || !/^[0-9a-f]{32}$/.test(digest)) {
      return malformed("CRAM-MD5 takes a user name, a space and 32 hexadecimal digits");
    }
    return {
      type: "verify",
      credentials: {
        mechanism: this.mechanism,
        username,
        check: (password) => {
          // As with other mechanisms, an empty password is none.
          const known = password !== undefined && saslprep(password) !== undefined;
          const right = equalSecrets(answer(known ? password : randomBytes(16), this.#challenge), digest);
          if (!right || !known) return Verdict.make(this, refused());
          return Verdict.make(this, { type: "success", identity: { mechanism: this.mechanism, username } });
        },
        refuse: () => Verdict.make(this, refused()),
      },
    };
  }

  decide(verdict: Verdict): SaslServerStep {
    return readVerdict(verdict, this);
  }
}

export class CramMd5Client implements SaslClient {
  readonly mechanism = "CRAM-MD5";
  readonly initialResponse: undefined;
  readonly #username: string;
  readonly #password: string;
  #answered = false;

  constructor(username: string, password: string) {
    this.#username = username;
    this.#password = password;
  }

  step(challenge: Uint8Array): SaslClientStep {
    if (this.#answered) return malformed("CRAM-MD5 has one challenge");
    this.#answered = true;
    return {
      type: "response",
      bytes: Buffer.from(`${this.#username} ${answer(this.#password, challenge)}`),
    };
  }

  succeeded(): undefined {
    return undefined;
  }
}

function answer(password: string | Uint8Array, challenge: string | Uint8Array): string {
  return createHmac("md5", password).update(challenge).digest("hex");
}
