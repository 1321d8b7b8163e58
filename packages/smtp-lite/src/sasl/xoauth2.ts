// XOAUTH2, as Google describes it: https://developers.google.com/gmail/imap/xoauth2-protocol. A token instead of a password.
//
//   response  = "user=" user ^A "auth=Bearer " token ^A ^A           ; ^A is byte 1
//   refusal   = a challenge of JSON, {"status":"401","schemes":"bearer","scope":"…"}; the client answers it with nothing,
//               and only then is the exchange refused
import { decodeText, malformed, readVerdict, refused } from "./bytes.ts";
import type { SaslClient, SaslClientStep, SaslFailure, SaslServer, SaslServerStep } from "./exchange.ts";
import { Verdict } from "./verdict.ts";

/** Google's scope for mail: some clients read it out of the refusal. */
const REFUSAL = JSON.stringify({ status: "401", schemes: "bearer", scope: "https://mail.google.com/" });

export class Xoauth2Server implements SaslServer {
  readonly mechanism = "XOAUTH2";
  #refused = false;

  step(response: Uint8Array | undefined): SaslServerStep {
    if (this.#refused) return refused();
    if (response === undefined) return { type: "challenge", bytes: Buffer.alloc(0) };
    const [user = "", auth = "", ...rest] = decodeText(response)?.split("\x01") ?? [];
    const [, username] = /^user=(\P{Cc}+)$/u.exec(user) ?? [];
    const [, token] = /^auth=Bearer ([!-~]+)$/i.exec(auth) ?? [];
    if (username === undefined || token === undefined || rest.join() !== ",") {
      return malformed("XOAUTH2 takes user=…^Aauth=Bearer …^A^A");
    }
    const { mechanism } = this;
    return {
      type: "verify",
      credentials: {
        mechanism,
        username,
        token,
        accept: () => Verdict.make(this, { type: "success", identity: { mechanism, username } }),
        refuse: () => {
          this.#refused = true;
          return Verdict.make(this, { type: "challenge", bytes: Buffer.from(REFUSAL) });
        },
      },
    };
  }

  decide(verdict: Verdict): SaslServerStep {
    return readVerdict(verdict, this);
  }
}

export class Xoauth2Client implements SaslClient {
  readonly mechanism = "XOAUTH2";
  readonly initialResponse: Buffer;
  #refused = false;

  constructor(username: string, token: string) {
    this.initialResponse = Buffer.from(`user=${username}\x01auth=Bearer ${token}\x01\x01`);
  }

  /** A challenge here is a refusal: answered by nothing, so that the server can say so. */
  step(): SaslClientStep {
    if (this.#refused) return malformed("XOAUTH2 has one challenge");
    this.#refused = true;
    return { type: "response", bytes: Buffer.alloc(0) };
  }

  succeeded(): SaslFailure | undefined {
    return this.#refused
      ? refused("the server refused the token, and then said that all is well")
      : undefined;
  }
}
