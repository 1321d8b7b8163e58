// Which mechanisms there are, and how an exchange of each begins. It knows their names and their order; nothing of how they go.
import { randomBytes } from "node:crypto";
import { assertNever } from "@tcpkit/core";
import { badArgument } from "../errors.ts";
import { makeNonce } from "./bytes.ts";
import { CramMd5Client, CramMd5Server } from "./cram-md5.ts";
import type { SaslClient, SaslMechanism, SaslServer } from "./exchange.ts";
import { LoginClient, PlainClient } from "./password-client.ts";
import { LoginServer, PlainServer } from "./password-server.ts";
import { saslprep } from "./saslprep.ts";
import { ScramClient } from "./scram-client.ts";
import { checkIterations, MIN_ITERATIONS } from "./scram-keys.ts";
import { ScramServer } from "./scram-server.ts";
import { Xoauth2Client, Xoauth2Server } from "./xoauth2.ts";

/** All of them, the strongest first. */
export const SASL_MECHANISMS: readonly SaslMechanism[] = [
  "SCRAM-SHA-256",
  "CRAM-MD5",
  "PLAIN",
  "LOGIN",
  "XOAUTH2",
];

export interface SaslServerOptions {
  /** In the challenge of CRAM-MD5. Default: `"localhost"`. */
  readonly hostname?: string | undefined;
  /** Printable ASCII without commas that nobody can foresee. Default: 18 random bytes as base64. */
  readonly nonce?: (() => string) | undefined;
  /** Milliseconds since 1970, in the challenge of CRAM-MD5. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /**
   * SCRAM's rounds of PBKDF2 for passwords and for unknown users. Where you keep keys, make it what those have: users
   * with another number are known to be there. Default: 4096.
   */
  readonly iterations?: number | undefined;
  /**
   * At least 32 secret bytes that the salts of unknown users come from. Default: random ones, made once a process; then
   * an unknown user's salt changes with a restart while stored keys keep theirs.
   */
  readonly decoyKey?: Uint8Array | undefined;
}

const processDecoyKey = randomBytes(32);

/** @throws SmtpError `bad-argument` for options that make no sense. */
export function checkSaslOptions({ iterations = MIN_ITERATIONS, decoyKey }: SaslServerOptions): void {
  checkIterations(iterations);
  if (decoyKey !== undefined && !(decoyKey.length >= 32))
    throw badArgument("`decoyKey` has less than 32 bytes");
}

/** Begins the server's side of an exchange, by options that make sense. */
export function createSaslServer(mechanism: SaslMechanism, options: SaslServerOptions = {}): SaslServer {
  const { hostname = "localhost", now = Date.now, iterations = MIN_ITERATIONS } = options;
  const nonce = options.nonce ?? makeNonce;
  switch (mechanism) {
    case "PLAIN":
      return new PlainServer();
    case "LOGIN":
      return new LoginServer();
    case "CRAM-MD5":
      return new CramMd5Server({ hostname, nonce, now });
    case "SCRAM-SHA-256":
      return new ScramServer({ nonce, iterations, decoyKey: options.decoyKey ?? processDecoyKey });
    case "XOAUTH2":
      return new Xoauth2Server();
    default:
      return assertNever(mechanism);
  }
}

/** Who we are, and what proves it. */
export type SaslSecret =
  | { readonly username: string; readonly password: string }
  /** `token`: an OAuth 2.0 access token. */
  | { readonly username: string; readonly token: string };

/** What a client needs for a mechanism: a password does for all but XOAUTH2, which takes a token. */
export type SaslClientOptions = (
  | {
      readonly mechanism: Exclude<SaslMechanism, "XOAUTH2">;
      readonly username: string;
      readonly password: string;
    }
  | { readonly mechanism: "XOAUTH2"; readonly username: string; readonly token: string }
) & {
  /** As for a server. */
  readonly nonce?: (() => string) | undefined;
  /**
   * The most rounds of PBKDF2 that a SCRAM server may ask for: they block, a million for about 0.3 s. Default:
   * 600,000.
   */
  readonly maxIterations?: number | undefined;
};

/**
 * Begins the client's side of an exchange.
 * @throws SmtpError `bad-argument` for a user name, password or token that the mechanism cannot carry.
 */
export function createSaslClient(options: SaslClientOptions): SaslClient {
  if (options.mechanism === "XOAUTH2") {
    const { username, token } = options;
    if (!/^[!-~]+$/.test(token)) throw badArgument("the token is empty or has a character that is in none");
    if (!/^\P{Cc}+$/u.test(username)) throw badArgument("the user name is empty or has a control character");
    return new Xoauth2Client(username, token);
  }
  const { mechanism } = options;
  const username = prepare(options.username, "user name");
  const password = prepare(options.password, "password");
  switch (mechanism) {
    case "PLAIN":
      return new PlainClient(username, password);
    case "LOGIN":
      return new LoginClient(username, password);
    case "CRAM-MD5":
      // RFC 2195 knows no SASLprep: both as they are.
      return new CramMd5Client(options.username, options.password);
    case "SCRAM-SHA-256":
      return new ScramClient(username, password, {
        nonce: options.nonce ?? makeNonce,
        maxIterations: options.maxIterations ?? 600_000,
      });
    default:
      return assertNever(mechanism);
  }
}

/**
 * The strongest mechanism that a server offers and a secret can serve; `undefined` where there is none. Without TLS those
 * that would tell the secret itself (PLAIN, LOGIN, XOAUTH2) count as not offered, unless `insecure` says that the way to
 * the server is safe.
 */
export function chooseMechanism(
  offered: Iterable<string>,
  secret: SaslSecret,
  { tls, insecure = false }: { readonly tls: boolean; readonly insecure?: boolean | undefined },
): SaslMechanism | undefined {
  const names = new Set([...offered].map((name) => name.toUpperCase()));
  const usable = SASL_MECHANISMS.filter((mechanism) => (mechanism === "XOAUTH2") === "token" in secret);
  return usable.find((mechanism) => names.has(mechanism) && (tls || insecure || HIDES_SECRET.has(mechanism)));
}

/** Safe from a listener on the way, as far as the password is not guessed. */
const HIDES_SECRET: ReadonlySet<SaslMechanism> = new Set(["SCRAM-SHA-256", "CRAM-MD5"]);

function prepare(text: string, what: string): string {
  const prepared = saslprep(text);
  if (prepared === undefined) throw badArgument(`the ${what} is empty or has a prohibited character`);
  return prepared;
}
