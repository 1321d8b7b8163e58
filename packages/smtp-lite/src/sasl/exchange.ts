// The words of SASL (RFC 4422): what the two engines of an exchange take and give. They see bytes only: base64, lines and
// reply codes belong to the session, and who is who to the owner of the server.
import type { ScramKeys } from "./scram-keys.ts";
import type { Verdict } from "./verdict.ts";

/** The mechanisms that there are here, as EHLO names them. */
export type SaslMechanism = "PLAIN" | "LOGIN" | "CRAM-MD5" | "SCRAM-SHA-256" | "XOAUTH2";

/**
 * What a client brought to prove who it is. Which questions can be asked depends on `mechanism`; each answer is a
 * `Verdict`, and there is no other way to make one, so a hook that forgets to check does not compile.
 */
export type SaslCredentials = PasswordCredentials | CramMd5Credentials | ScramCredentials | TokenCredentials;

/** The client told its password (RFC 4616, or LOGIN). */
export interface PasswordCredentials {
  readonly mechanism: "PLAIN" | "LOGIN";
  readonly username: string;
  readonly password: string;
  /** Compares with the user's password, in constant time. `undefined`: there is no such user. */
  check(password: string | undefined): Verdict;
  /** As `check`, against stored keys. It costs one PBKDF2, for an unknown user too. */
  checkKeys(keys: ScramKeys | undefined): Verdict;
  /** The password was checked elsewhere, and is right. */
  accept(): Verdict;
  refuse(): Verdict;
}

/** The client proved that it knows its password, without telling it (RFC 2195). */
export interface CramMd5Credentials {
  readonly mechanism: "CRAM-MD5";
  readonly username: string;
  /** Compares with what the user's password would have given. `undefined`: there is no such user. */
  check(password: string | undefined): Verdict;
  refuse(): Verdict;
}

/** The client is about to prove that it knows its password (RFC 5802): a verdict here says by what it will be judged. */
export interface ScramCredentials {
  readonly mechanism: "SCRAM-SHA-256";
  readonly username: string;
  /** It costs one PBKDF2 (about 2 ms), for an unknown user (`undefined`) too. */
  check(password: string | undefined): Verdict;
  /** As `check`, by stored keys and without that cost. */
  checkKeys(keys: ScramKeys | undefined): Verdict;
  refuse(): Verdict;
}

/** The client shows an OAuth 2.0 access token (Google's XOAUTH2). */
export interface TokenCredentials {
  readonly mechanism: "XOAUTH2";
  readonly username: string;
  /** The bearer token. */
  readonly token: string;
  /** The token is good, and is this user's. */
  accept(): Verdict;
  refuse(): Verdict;
}

/** Who a client proved to be. */
export interface SaslIdentity {
  readonly mechanism: SaslMechanism;
  readonly username: string;
}

/**
 * The end of an exchange that came to nothing. `malformed`: the other side's message is none (501 5.5.2 in SMTP);
 * `refused`: wrong user, password or token (535 5.7.8). `message` is for a log, and holds no secret.
 */
export interface SaslFailure {
  readonly type: "failure";
  readonly code: "malformed" | "refused";
  readonly message: string;
}

/** What a server does next. */
export type SaslServerStep =
  /** Send these bytes, and `step` with what comes back. */
  | { readonly type: "challenge"; readonly bytes: Buffer }
  /** Ask the server's owner, and `decide` with the answer. */
  | { readonly type: "verify"; readonly credentials: SaslCredentials }
  | { readonly type: "success"; readonly identity: SaslIdentity }
  | SaslFailure;

/** The server's side of one exchange. */
export interface SaslServer {
  readonly mechanism: SaslMechanism;
  /** Takes the client's next message; first of all its initial response, `undefined` when it sent none. Never throws. */
  step(response: Uint8Array | undefined): SaslServerStep;
  /**
   * Goes on after `verify`.
   * @throws SmtpError `bad-argument` for a verdict that was not made by those credentials.
   */
  decide(verdict: Verdict): SaslServerStep;
}

/** What a client does next: send these bytes, or cancel (`*`) and give up. */
export type SaslClientStep = { readonly type: "response"; readonly bytes: Buffer } | SaslFailure;

/** The client's side of one exchange. */
export interface SaslClient {
  readonly mechanism: SaslMechanism;
  /** The initial response, to go with the AUTH command; `undefined` where the server speaks first. */
  readonly initialResponse: Buffer | undefined;
  /**
   * Takes the server's next challenge. Never throws. An empty challenge before anything else asks for
   * `initialResponse`: whoever could not send it with AUTH sends it then, without `step`.
   */
  step(challenge: Uint8Array): SaslClientStep;
  /** The server said that all is well: gives a failure where it has not proved who it is, as SCRAM demands. */
  succeeded(): SaslFailure | undefined;
}
