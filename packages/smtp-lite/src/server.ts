// An SMTP server: hooks and options in, a listener out. It binds a session to each connection; what is accepted is decided
// in server-connection.ts.
import { inspect } from "node:util";
import { drive, Listener } from "@tcpkit/core";
import type { Deadlines, DrainOptions, DrainResult, DropReason, ListenOptions, Protocol } from "@tcpkit/core";
import type { Reply } from "./codes.ts";
import { describeEvent, describeReply } from "./describe.ts";
import { SmtpError } from "./errors.ts";
import type { SmtpHooks } from "./hooks.ts";
import { withDefaults } from "./limits.ts";
import { Pending } from "./pending.ts";
import { confirmedName } from "./reverse-lookup.ts";
import { SASL_MECHANISMS } from "./sasl/index.ts";
import { checkHooks, checkOptions } from "./server-options.ts";
import type { SmtpServerOptions } from "./server-options.ts";
import { SmtpServerConnection } from "./server-connection.ts";
import type { SmtpEvent } from "./server-events.ts";
import { ServerSide } from "./server-side.ts";
import type { Settings } from "./settings.ts";
import { systemName } from "./system-name.ts";
import { Welcome } from "./welcome.ts";

/**
 * Serves SMTP: `await using smtp = await serveSmtp({ onMessage }, { port: 2525 })`. It listens on 127.0.0.1 unless
 * told otherwise, and relays nothing. Its `close()` waits for every `onMessage` at work too, for 5 seconds at most after the
 * last connection is gone; what is at work even then is reported to `onError`, and left alone.
 * @throws SmtpError `bad-argument` for a hook that is no function, an option that makes no sense, such as a `hostname` that is no
 * domain or a `starttls` without a certificate, and for options that do not go together.
 * @throws TcpError as core's `listen`: `address-in-use`, `permission-denied`, …
 */
export async function serveSmtp(hooks: SmtpHooks, options: SmtpServerOptions = {}): Promise<Listener> {
  checkHooks(hooks);
  checkOptions(options, hooks.onAuth !== undefined);
  const limits = withDefaults(options.limits);
  const { hostname = systemName(), tls, starttls, requireTls = false, faults } = options;
  const { requireAuth = false, allowInsecureAuth = false, mechanisms = SASL_MECHANISMS, sasl } = options;
  const { lmtp = false, normalize = false, greetingDelay = 0, reverseLookup = false } = options;
  const sides = { secure: tls !== undefined, lmtp, normalize, requireTls, requireAuth };
  const protocol: Protocol<SmtpEvent, Reply> = {
    name: "smtp",
    session: () => new ServerSide(sides, limits),
    describeEvent,
    describeReply,
  };
  const report = safely(options.onError ?? warn);
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
  const { idle = 300_000, message = 180_000 } = options.deadlines ?? {};
  const deadlines: Deadlines = { ...options.deadlines, idle, message };
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

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : inspect(error));
}

/** One message's trouble is its own: whoever hears of an error and fails over that ends nothing else. */
function safely(report: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      report(error);
    } catch (failure) {
      warn(failure);
    }
  };
}
