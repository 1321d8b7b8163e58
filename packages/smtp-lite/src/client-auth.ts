// AUTH as a client does it, RFC 4954: it picks the mechanism and moves the lines; it knows no mechanism from inside.
import type { SmtpCredentials } from "./client-options.ts";
import { isIntermediate, isPositive } from "./codes.ts";
import type { Reply } from "./codes.ts";
import type { Conversation } from "./conversation.ts";
import { replyText } from "./conversation.ts";
import { SmtpError } from "./errors.ts";
import { GRAMMAR_LIMITS } from "./limits.ts";
import { chooseMechanism, createSaslClient } from "./sasl/index.ts";
import type { SaslClient, SaslFailure } from "./sasl/index.ts";
import { formatCommand } from "./wire.ts";

/**
 * Proves who we are.
 * @param offered what stands behind AUTH in the reply to EHLO; `undefined` where it does not.
 * @throws SmtpError `not-offered` when the server has no mechanism that will do; `auth-failed`, with its `reply`, when it does
 * not believe us, or we do not believe it; `bad-argument` for credentials that cannot be sent.
 */
export async function authenticate(
  conversation: Conversation,
  credentials: SmtpCredentials,
  offered: string | undefined,
  insecure: boolean,
): Promise<void> {
  const exchange = begin(conversation, credentials, offered, insecure);
  const { mechanism } = exchange;
  // RFC 4954 section 4: a command that gets too long goes without its initial response, which then follows on its own.
  let due = exchange.initialResponse;
  const fits = formatCommand({ type: "auth", mechanism, initial: due }).length <= GRAMMAR_LIMITS.commandLine;
  conversation.send({ type: "auth", mechanism, initial: fits ? due : undefined });
  if (fits) due = undefined;
  let reply = await conversation.reply();
  while (isIntermediate(reply)) {
    const challenge = Buffer.from(reply.lines[0], "base64");
    const step = due === undefined ? exchange.step(challenge) : ({ type: "response", bytes: due } as const);
    due = undefined;
    if (step.type === "failure") {
      conversation.send({ type: "auth-response", response: undefined });
      throw failed(mechanism, await conversation.reply(), step);
    }
    conversation.send({ type: "auth-response", response: step.bytes });
    reply = await conversation.reply();
  }
  if (!isPositive(reply)) throw failed(mechanism, reply);
  const doubt = exchange.succeeded();
  if (doubt !== undefined) throw failed(mechanism, reply, doubt);
}

function begin(
  { connection }: Conversation,
  credentials: SmtpCredentials,
  offered: string | undefined,
  insecure: boolean,
): SaslClient {
  const { username, password, token } = credentials;
  const secret =
    credentials.token === undefined
      ? { username, password: credentials.password }
      : { username, token: credentials.token };
  const tls = connection.tls !== undefined;
  const mechanism = chooseMechanism(offered?.split(" ") ?? [], secret, { tls, insecure });
  if (mechanism === "XOAUTH2" && token !== undefined) return createSaslClient({ mechanism, username, token });
  if (mechanism !== undefined && mechanism !== "XOAUTH2" && password !== undefined) {
    return createSaslClient({ mechanism, username, password });
  }
  const what = offered === undefined ? "no AUTH" : `AUTH ${offered}`;
  const why = `the server offers ${what} ${tls ? "under" : "without"} TLS: no mechanism that would do`;
  throw new SmtpError("not-offered", why);
}

/** The reply says no, or `failure` says why we do not take its yes. */
function failed(mechanism: string, reply: Reply, failure?: SaslFailure): SmtpError {
  const why = failure?.message ?? replyText(reply);
  return new SmtpError("auth-failed", `AUTH ${mechanism} failed: ${why}`, { reply });
}
