// What a client says before its first message: EHLO, STARTTLS and EHLO again, AUTH. It knows what has to be safe before what.
import { isIP } from "node:net";
import { authenticate } from "./client-auth.ts";
import type { SmtpClientOptions } from "./client-options.ts";
import { isPositive } from "./codes.ts";
import type { Reply } from "./codes.ts";
import type { Conversation } from "./conversation.ts";
import { refused } from "./conversation.ts";
import { SmtpError } from "./errors.ts";

/** What a server offers: keyword to parameters, `"SIZE"` to `"26214400"`. */
export type Extensions = ReadonlyMap<string, string>;

/** Opens the conversation; resolves with what the server offers in the end. */
export async function openConversation(
  conversation: Conversation,
  name: string,
  options: SmtpClientOptions,
): Promise<Extensions> {
  await conversation.expect("the connection");
  const { protocol = "smtp", auth, allowInsecureAuth = false } = options;
  const hello = protocol === "lmtp" ? lhlo : ehlo;
  let extensions = await hello(conversation, name);
  if (conversation.connection.tls === undefined && (await startTls(conversation, extensions, options))) {
    // RFC 3207 section 4.2: what was learnt without TLS counts no more.
    extensions = await hello(conversation, name);
  }
  if (auth !== undefined) await authenticate(conversation, auth, extensions.get("AUTH"), allowInsecureAuth);
  return extensions;
}

/** EHLO, or HELO to a server that does not know it. */
async function ehlo(conversation: Conversation, name: string): Promise<Extensions> {
  conversation.send({ type: "ehlo", name });
  const reply = await conversation.reply();
  if (!isPositive(reply)) {
    if (reply.code < 500) throw refused(reply, "EHLO");
    conversation.send({ type: "helo", name });
    await conversation.expect("HELO");
    return new Map();
  }
  return extensionsOf(reply);
}

/** LMTP has neither of them (RFC 2033 section 4.1). */
async function lhlo(conversation: Conversation, name: string): Promise<Extensions> {
  conversation.send({ type: "lhlo", name });
  return extensionsOf(await conversation.expect("LHLO"));
}

function extensionsOf(reply: Reply): Extensions {
  // The first line is a greeting; each other is a keyword and its parameters (RFC 5321 section 4.1.1.1).
  const extensions = new Map<string, string>();
  for (const line of reply.lines.slice(1)) {
    const [keyword = "", ...parameters] = line.split(" ");
    const name = keyword.toUpperCase();
    // Some list their AUTH mechanisms on several lines.
    const before = extensions.get(name);
    if (before) parameters.unshift(before);
    extensions.set(name, parameters.join(" "));
  }
  return extensions;
}

/** STARTTLS where it is offered and wanted; true when TLS is there. */
async function startTls(
  conversation: Conversation,
  extensions: Extensions,
  { host, starttls = {}, auth, allowInsecureAuth = false }: SmtpClientOptions,
): Promise<boolean> {
  if (starttls === false) return false;
  const { required = auth !== undefined && !allowInsecureAuth, ...tls } = starttls;
  if (!extensions.has("STARTTLS")) {
    if (required)
      throw new SmtpError("not-offered", "the server does not offer STARTTLS, and TLS is required");
    return false;
  }
  conversation.send({ type: "starttls" });
  const reply = await conversation.reply();
  if (!isPositive(reply)) {
    // After 421 the server closes (RFC 5321 section 3.8): there is nothing to go on with.
    if (required || reply.code === 421) throw refused(reply, "STARTTLS");
    return false;
  }
  // The name that was asked for, not the address it led to, is what the certificate has to show.
  const named = host !== undefined && isIP(host) === 0 ? host : undefined;
  await conversation.startTls({ ...tls, servername: tls.servername ?? named });
  return true;
}
