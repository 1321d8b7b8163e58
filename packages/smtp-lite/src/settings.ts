// What all connections of a server share. Types only.
import type { TlsOptions } from "@tcpkit/core";
import type { SmtpHooks } from "./hooks.ts";
import type { SmtpLimits } from "./limits.ts";
import type { Pending } from "./pending.ts";
import type { ReverseLookup } from "./reverse-lookup.ts";
import type { SaslMechanism, SaslServerOptions } from "./sasl/index.ts";
import type { Welcome } from "./welcome.ts";

export interface Settings {
  readonly hooks: SmtpHooks;
  readonly limits: SmtpLimits;
  readonly hostname: string;
  readonly starttls: TlsOptions | undefined;
  readonly allowInsecureAuth: boolean;
  readonly mechanisms: readonly SaslMechanism[];
  readonly sasl: SaslServerOptions;
  readonly lmtp: boolean;
  /** In milliseconds. */
  readonly greetingDelay: number;
  readonly reverseLookup: ReverseLookup | undefined;
  readonly welcome: Welcome;
  /** The messages that `onMessage` is at work on. */
  readonly pending: Pending;
  /** Tells the owner of an error that the client must not see. */
  readonly report: (error: unknown) => void;
}
