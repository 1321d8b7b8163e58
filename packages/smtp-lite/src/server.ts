// An SMTP server: hooks and options in, a listener out. It binds a session to each connection; what is accepted is decided
// in server-connection.ts.
import { drive, Listener } from "@tcpkit/core";
import type {
  Deadlines,
  DrainOptions,
  DrainResult,
  DropReason,
  ListenOptions,
  Protocol,
  TlsOptions,
} from "@tcpkit/core";
import { isDomain } from "./address.ts";
import type { Reply } from "./codes.ts";
import { describeEvent, describeReply } from "./describe.ts";
import { SmtpError } from "./errors.ts";
import type { FaultPolicy } from "./fault-policy.ts";
import type { SmtpHooks } from "./hooks.ts";
import { withDefaults } from "./limits.ts";
import type { SmtpLimits } from "./limits.ts";
import { Pending } from "./pending.ts";
import { confirmedName } from "./reverse-lookup.ts";
import type { ReverseLookup } from "./reverse-lookup.ts";
import { SASL_MECHANISMS } from "./sasl/index.ts";
import type { SaslMechanism, SaslServerOptions } from "./sasl/index.ts";
import { SmtpServerConnection } from "./server-connection.ts";
import type { SmtpEvent } from "./server-events.ts";
import { ServerSide } from "./server-side.ts";
import type { Settings } from "./settings.ts";
import { systemName } from "./system-name.ts";
import { Welcome } from "./welcome.ts";

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

/**
 * Serves SMTP: `await using smtp = await serveSmtp({ onMessage }, { port: 2525 })`. It listens on 127.0.0.1 unless
 * told otherwise, and relays nothing. Its `close()` waits for every `onMessage` at work too, for 5 seconds at most after the
 * last connection is gone; what is at work even then is reported to `onError`, and left alone.
 * @throws SmtpError `bad-argument` when `hostname` is no domain, when the key or certificate of `starttls` is none, when one of
 * the `limits` is no whole number, and for options that do not go together.
 * @throws TcpError as core's `listen`: `address-in-use`, `permission-denied`, …
 */
export async function serveSmtp(hooks: SmtpHooks, options: SmtpServerOptions = {}): Promise<Listener> {
  const limits = withDefaults(options.limits);
  const hostname = options.hostname ?? systemName();
  // It goes into every greeting and every Received line.
  if (!isDomain(hostname)) throw badOption("`hostname` is no domain");
  const { tls, starttls, requireTls = false, faults, deadlines: given } = options;
  if (tls !== undefined && starttls !== undefined)
    throw badOption("`tls` encrypts from the first byte: no `starttls` beside it");
  if (requireTls && tls === undefined && starttls === undefined)
    throw badOption("`requireTls` needs `starttls`");
  if (starttls !== undefined) checkTls(starttls);
  const { requireAuth = false, allowInsecureAuth = false, mechanisms = SASL_MECHANISMS, sasl } = options;
  if (requireAuth && hooks.onAuth === undefined) throw badOption("`requireAuth` needs `onAuth`");
  if (requireAuth && !allowInsecureAuth && tls === undefined && starttls === undefined)
    throw badOption("`requireAuth` needs `starttls` or `tls`: AUTH is not offered without TLS");
  const { lmtp = false, normalize = false, greetingDelay = 0, reverseLookup = false } = options;
  const sides = { limits, secure: tls !== undefined, lmtp, normalize, requireTls, requireAuth };
  const protocol: Protocol<SmtpEvent, Reply> = {
    name: "smtp",
    session: () => new ServerSide(sides),
    describeEvent,
    describeReply,
  };
  const report = options.onError ?? warn;
  const offering = {
    hooks,
    limits,
    hostname,
    starttls,
    allowInsecureAuth,
    mechanisms: [...mechanisms],
    sasl: { ...sasl },
    lmtp,
    greetingDelay,
    reverseLookup: reverseLookup === true ? confirmedName : reverseLookup || undefined,
  };
  const pending = new Pending();
  const settings: Settings = { ...offering, welcome: new Welcome(offering), pending, report };
  const deadlines: Deadlines = { ...given, message: given?.message ?? 180_000 };
  // RFC 5321 section 3.1: a greeting of 554 turns a client away for good, 421 for now. Greetings have no enhanced code.
  const refusal = (reason: DropReason): string =>
    reason === "denied"
      ? `554 ${hostname} No SMTP service here\r\n`
      : `421 ${hostname} Too busy, try again later\r\n`;
  const listener = new SmtpListener({ service: protocol.name, refusal, ...options }, settings);
  listener.on("connection", (connection) => {
    const { handle } = new SmtpServerConnection(connection, settings);
    if (faults === undefined) drive(connection, protocol, handle, { deadlines });
    else faults.drive(connection, protocol, handle, { deadlines });
  });
  return listener.listen();
}

/**
 * How long `close()` waits for an `onMessage` whose connection is gone, in milliseconds. Its body has failed, so all that is left
 * to do is to take half a file away, or to finish the commit of a whole one: a disk may need seconds for that, not minutes.
 */
const LAST_WORK = 5000;

/** It is closed when no message is at work any more: half a file may still have to be taken away. */
class SmtpListener extends Listener {
  readonly #pending: Pending;
  readonly #report: (error: unknown) => void;
  #closed: Promise<DrainResult> | undefined;

  constructor(options: ListenOptions, { pending, report }: Pick<Settings, "pending" | "report">) {
    super(options);
    this.#pending = pending;
    this.#report = report;
  }

  override close(options?: DrainOptions): Promise<DrainResult> {
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  async #close(options: DrainOptions | undefined): Promise<DrainResult> {
    const result = await super.close(options);
    if (!(await this.#pending.settled(LAST_WORK))) {
      const message = `close() waits no longer: an onMessage is at work ${LAST_WORK / 1000} s after the last connection was gone`;
      this.#report(new SmtpError("timeout", message, { blame: "local" }));
    }
    return result;
  }
}

/** Better to hear of a wrong key now than from the first client. */
function checkTls(starttls: TlsOptions): void {
  try {
    // Loaded only where somebody encrypts: it takes 4 MiB.
    process.getBuiltinModule("node:tls").createSecureContext(starttls);
  } catch (cause) {
    throw badOption(`\`starttls\`: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function badOption(message: string, cause?: unknown): SmtpError {
  return new SmtpError("bad-argument", message, { blame: "local", cause });
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
