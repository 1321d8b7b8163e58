// What a server can be told, and which of it makes no sense: better to hear of that now than from the first client.
import type { Deadlines, ListenOptions, TlsOptions } from "@tcpkit/core";
import { isDomain } from "./domain.ts";
import { badArgument } from "./errors.ts";
import type { FaultPolicy } from "./fault-policy.ts";
import type { SmtpHooks } from "./hooks.ts";
import type { SmtpLimits } from "./limits.ts";
import type { ReverseLookup } from "./reverse-lookup.ts";
import { checkSaslOptions, SASL_MECHANISMS } from "./sasl/index.ts";
import type { SaslMechanism, SaslServerOptions } from "./sasl/index.ts";

export interface SmtpServerOptions extends ListenOptions {
  /** What the server calls itself. Default: the system's host name. */
  readonly hostname?: string | undefined;
  /**
   * Offers STARTTLS (RFC 3207) with this key and certificate. Core's option `tls` is something else: TLS from the first byte,
   * as port 465 has it (RFC 8314). Default: no STARTTLS.
   */
  readonly starttls?: TlsOptions | undefined;
  /** Before TLS, take no command but EHLO, NOOP, STARTTLS and QUIT: 530 5.7.0. Default: false. */
  readonly requireTls?: boolean | undefined;
  /** Before AUTH, take no mail: 530 5.7.0. Default: false. */
  readonly requireAuth?: boolean | undefined;
  /** Offer AUTH without TLS too: passwords then travel in the clear. Default: false; AUTH gets 538 5.7.11 before TLS. */
  readonly allowInsecureAuth?: boolean | undefined;
  /** What AUTH offers when there is an `onAuth`. Default: `SASL_MECHANISMS`, all of them. */
  readonly mechanisms?: readonly SaslMechanism[] | undefined;
  /** How SCRAM hides which users there are. */
  readonly sasl?: Pick<SaslServerOptions, "iterations" | "decoyKey"> | undefined;
  /**
   * Speak LMTP instead (RFC 2033), as a mail store does towards its own mail server: LHLO, and one reply for each recipient.
   * Never on port 25. Default: false.
   */
  readonly lmtp?: boolean | undefined;
  /**
   * Make CRLF of a bare LF in content, for programs that send nothing else; it never ends a message. Whoever sends the message
   * on must put dots on anew, as `DotEncoder` does. Default: false, the message is refused (550 5.5.2). A bare CR always is.
   */
  readonly normalize?: boolean | undefined;
  /** Milliseconds before the greeting: a client that talks first gives itself away as a bad robot (554). Default: 0. */
  readonly greetingDelay?: number | undefined;
  /**
   * Look up the host name of each client before the greeting, for 5 seconds at most, as `Client.remoteName` and for the
   * `Received:` line. `true`: by DNS, where the name leads back to the address; or find it yourself, where what throws has no
   * name. Default: false, as DNS may be slow.
   */
  readonly reverseLookup?: boolean | ReverseLookup | undefined;
  /** Bounds that differ from `DEFAULT_LIMITS`; `undefined` is the default one. They are read once, when the server is made. */
  readonly limits?: Partial<SmtpLimits> | undefined;
  /**
   * In milliseconds. Default: `idle` 5 minutes (RFC 5321 section 4.5.3.2.7), `message` (a command from its first
   * byte, or the next piece of content) 3 minutes, `write` 1 minute.
   */
  readonly deadlines?: Deadlines | undefined;
  /** Go wrong on purpose, for tests of clients. Default: not. */
  readonly faults?: FaultPolicy | undefined;
  /** A hook failed, by something else than an `SmtpReply`. Default: a process warning. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** @throws SmtpError `bad-argument` */
export function checkHooks(hooks: SmtpHooks): void {
  if (typeof hooks?.onMessage !== "function")
    throw badArgument("`onMessage` is needed: a function that keeps a message");
  for (const name of ["onConnect", "onAuth", "onMail", "onRcpt"] as const) {
    if (hooks[name] !== undefined && typeof hooks[name] !== "function")
      throw badArgument(`\`${name}\` is no function`);
  }
}

/** @throws SmtpError `bad-argument` */
export function checkOptions(options: SmtpServerOptions, hasAuth: boolean): void {
  const { hostname, greetingDelay = 0, deadlines = {} } = options;
  // It goes into every greeting and every Received line.
  if (hostname !== undefined && !isDomain(hostname)) throw badArgument("`hostname` is no domain");
  for (const [name, time] of Object.entries({ greetingDelay, ...deadlines })) {
    if (time !== undefined && !(time >= 0)) throw badArgument(`\`${name}\` is no number of milliseconds`);
  }
  checkTls(options);
  checkAuth(options, hasAuth);
}

function checkTls({ tls, starttls, requireTls }: SmtpServerOptions): void {
  if (requireTls === true && tls === undefined && starttls === undefined)
    throw badArgument("`requireTls` needs `starttls`");
  if (starttls === undefined) return;
  if (tls !== undefined) throw badArgument("`tls` encrypts from the first byte: no `starttls` beside it");
  try {
    // Loaded only where somebody encrypts: it takes 4 MiB.
    process.getBuiltinModule("node:tls").createSecureContext(starttls);
  } catch (cause) {
    throw badArgument(`\`starttls\`: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function checkAuth(options: SmtpServerOptions, hasAuth: boolean): void {
  const { tls, starttls, requireAuth, allowInsecureAuth, mechanisms = SASL_MECHANISMS, sasl = {} } = options;
  if (requireAuth === true && !hasAuth) throw badArgument("`requireAuth` needs `onAuth`");
  if (requireAuth === true && allowInsecureAuth !== true && tls === undefined && starttls === undefined)
    throw badArgument("`requireAuth` needs `starttls` or `tls`: AUTH is not offered without TLS");
  const unknown = mechanisms.find((name) => !SASL_MECHANISMS.includes(name));
  if (mechanisms.length === 0 || unknown !== undefined)
    throw badArgument(
      `\`mechanisms\` are some of ${SASL_MECHANISMS.join(", ")}: ${unknown ?? "there is none"}`,
    );
  checkSaslOptions(sasl);
}
