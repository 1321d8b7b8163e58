// SASL, RFC 4422: proving who one is. Pure engines, two sides a mechanism; the session moves their bytes as base64 lines.
export type {
  CramMd5Credentials,
  PasswordCredentials,
  SaslClient,
  SaslClientStep,
  SaslCredentials,
  SaslFailure,
  SaslIdentity,
  SaslMechanism,
  SaslServer,
  SaslServerStep,
  ScramCredentials,
  TokenCredentials,
} from "./exchange.ts";
export type { Verdict } from "./verdict.ts";
export {
  checkSaslOptions,
  chooseMechanism,
  createSaslClient,
  createSaslServer,
  SASL_MECHANISMS,
} from "./mechanisms.ts";
export type { SaslClientOptions, SaslSecret, SaslServerOptions } from "./mechanisms.ts";
export { createScramKeys } from "./scram-keys.ts";
export type { ScramKeys, ScramKeysOptions } from "./scram-keys.ts";
