// What a server says of itself: the greeting, and the replies to EHLO, HELO and HELP. One for all connections of a server.
import type { Reply } from "./codes.ts";
import { offers } from "./offers.ts";
import type { Offering } from "./offers.ts";
import { formatReply, PreparedReply, withoutEnhanced } from "./reply.ts";

/** The lines of EHLO behind the first one, which names the client; and their bytes. */
interface Offered {
  readonly lines: readonly string[];
  readonly wire: string;
}

export class Welcome {
  /** RFC 2034 section 4: no enhanced code in the greeting, nor in the replies to EHLO and HELO. */
  readonly greeting: Reply;
  /** The reply to HELP: every command that is known here. */
  readonly help: Reply;
  readonly #hostname: string;
  readonly #plain: Offered;
  readonly #encrypted: Offered;

  constructor(offering: Offering) {
    const { hostname, lmtp } = offering;
    this.#hostname = hostname;
    this.greeting = new PreparedReply({ code: 220, lines: [`${hostname} ${lmtp ? "LMTP" : "ESMTP"} ready`] });
    this.help = new PreparedReply({
      code: 214,
      enhanced: "2.0.0",
      lines: [commands(offering), lmtp ? "See RFC 2033" : "See RFC 5321"],
    });
    this.#plain = offered(offers(offering, false));
    this.#encrypted = offered(offers(offering, true));
  }

  /** The reply to EHLO, or LHLO, from a client that calls itself `name`: printable ASCII. */
  ehlo(name: string, encrypted: boolean): Reply {
    const first = this.#first(name);
    const { lines, wire } = encrypted ? this.#encrypted : this.#plain;
    return new PreparedReply({ code: 250, lines: [first, ...lines] }, `250-${first}\r\n${wire}`);
  }

  /** The reply to HELO. */
  helo(name: string): Reply {
    return { code: 250, lines: [this.#first(name)] };
  }

  #first(name: string): string {
    return `${this.#hostname} greets ${name}`;
  }
}

/**
 * A reply as the first one of a connection. RFC 5321 section 3.1 knows 220, 554 and, to come back later, 421: every other
 * refusal becomes the one of its class, with its text.
 */
export function asGreeting(reply: Reply): Reply {
  if (reply.code < 400) return reply;
  const code = reply.code < 500 ? 421 : 554;
  return withoutEnhanced({ ...reply, code, lines: reply.lines });
}

function commands({ lmtp, starttls, hooks }: Offering): string {
  const words = lmtp ? ["LHLO"] : ["EHLO", "HELO"];
  if (starttls !== undefined) words.push("STARTTLS");
  if (hooks.onAuth !== undefined) words.push("AUTH");
  return `${words.join(" ")} MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT`;
}

function offered(lines: readonly [string, ...string[]]): Offered {
  return { lines, wire: formatReply({ code: 250, lines }) };
}
