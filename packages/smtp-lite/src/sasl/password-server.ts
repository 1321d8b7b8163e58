// The servers of PLAIN and LOGIN: a client tells its password. They know how it does; not what the right one is.
//
//   PLAIN (RFC 4616)    message = [authzid] NUL authcid NUL passwd
//   LOGIN (draft-murchison-sasl-login-00): challenge "Username:", then "Password:"; Outlook wants these very words
import { randomBytes } from "node:crypto";
import { decodeText, equalSecrets, malformed, readVerdict, refused } from "./bytes.ts";
import type { PasswordCredentials, SaslServer, SaslServerStep } from "./exchange.ts";
import { saslprep } from "./saslprep.ts";
import { clientKey, MIN_ITERATIONS, saltPassword, sha256 } from "./scram-keys.ts";
import type { ScramKeys } from "./scram-keys.ts";
import { Verdict } from "./verdict.ts";

export class PlainServer implements SaslServer {
  readonly mechanism = "PLAIN";

  step(response: Uint8Array | undefined): SaslServerStep {
    // RFC 4954 section 4: a client that speaks first and has not yet is asked to by an empty challenge.
    if (response === undefined) return { type: "challenge", bytes: Buffer.alloc(0) };
    const [authorizationId, username, password, more] = decodeText(response)?.split("\0") ?? [];
    if (
      authorizationId === undefined ||
      username === undefined ||
      password === undefined ||
      more !== undefined
    )
      return malformed("PLAIN takes [authzid] NUL authcid NUL passwd");
    // Nobody may act as somebody else here (RFC 4616 section 2: that is the server's to decide).
    if (authorizationId !== "" && saslprep(authorizationId) !== saslprep(username)) return refused();
    return askForPassword(this, this.mechanism, username, password);
  }

  decide(verdict: Verdict): SaslServerStep {
    return readVerdict(verdict, this);
  }
}

export class LoginServer implements SaslServer {
  readonly mechanism = "LOGIN";
  #username: string | undefined;

  step(response: Uint8Array | undefined): SaslServerStep {
    if (response === undefined) return { type: "challenge", bytes: Buffer.from("Username:") };
    const text = decodeText(response);
    if (text === undefined) return malformed("LOGIN takes UTF-8");
    if (this.#username !== undefined) return askForPassword(this, this.mechanism, this.#username, text);
    this.#username = text;
    return { type: "challenge", bytes: Buffer.from("Password:") };
  }

  decide(verdict: Verdict): SaslServerStep {
    return readVerdict(verdict, this);
  }
}

function askForPassword(
  exchange: object,
  mechanism: PasswordCredentials["mechanism"],
  rawUsername: string,
  rawPassword: string,
): SaslServerStep {
  const username = saslprep(rawUsername);
  const password = saslprep(rawPassword);
  // RFC 4616 section 2: what cannot be prepared, or is empty, does not verify.
  if (username === undefined || password === undefined) return refused();
  const accept = (): Verdict =>
    Verdict.make(exchange, { type: "success", identity: { mechanism, username } });
  const refuse = (): Verdict => Verdict.make(exchange, refused());
  const judge = (right: boolean): Verdict => (right ? accept() : refuse());
  return {
    type: "verify",
    credentials: {
      mechanism,
      username,
      password,
      // A prepared password is never empty: nothing fits a user that there is not.
      check: (known) => judge(equalSecrets(saslprep(known ?? "") ?? "", password)),
      checkKeys: (keys) => judge(passwordFits(password, keys ?? NOBODY)),
      accept,
      refuse,
    },
  };
}

/** Stands in for the keys of a user that there is not: nothing fits them, and looking takes as long. */
const NOBODY: ScramKeys = {
  salt: randomBytes(16),
  iterations: MIN_ITERATIONS,
  storedKey: randomBytes(32),
  serverKey: randomBytes(32),
};

function passwordFits(prepared: string, { salt, iterations, storedKey }: ScramKeys): boolean {
  return equalSecrets(sha256(clientKey(saltPassword(prepared, salt, iterations))), storedKey);
}
