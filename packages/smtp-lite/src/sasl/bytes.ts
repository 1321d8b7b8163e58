// What the mechanisms share: text and base64 out of bytes, comparing without telling where the difference is, failures.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { badArgument } from "../errors.ts";
import type { SaslFailure, SaslServerStep } from "./exchange.ts";
import { Verdict } from "./verdict.ts";

/** A text that nobody can foresee: 18 random bytes. */
export function makeNonce(): string {
  return randomBytes(18).toString("base64");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text; `undefined` when the bytes are no UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** RFC 4648 section 4, with its padding and nothing else: Node's own decoder skips what it does not know. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** Compares in a time that depends on neither's content. */
export function equalSecrets(one: string | Uint8Array, other: string | Uint8Array): boolean {
  const key = randomBytes(32);
  const digest = (secret: string | Uint8Array): Buffer => createHmac("sha256", key).update(secret).digest();
  return timingSafeEqual(digest(one), digest(other));
}

export function malformed(message: string): SaslFailure {
  return { type: "failure", code: "malformed", message };
}

/** One text for every reason: nobody learns which users there are. */
export function refused(message = "wrong user name, password or token"): SaslFailure {
  return { type: "failure", code: "refused", message };
}

/** What a verdict says, once it is sure that it is about `exchange`. */
export function readVerdict(verdict: Verdict, exchange: object): SaslServerStep {
  const step = Verdict.read(verdict, exchange);
  if (step !== undefined) return step;
  const message = "`onAuth` has to return a verdict that the credentials it was given have made";
  throw badArgument(message);
}
