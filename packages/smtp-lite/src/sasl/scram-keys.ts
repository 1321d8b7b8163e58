// What a server keeps of a password for SCRAM-SHA-256, so that whoever steals it cannot log in with it. It knows the key
// schedule of RFC 5802 section 3; it knows no messages.
//
//   SaltedPassword  := Hi(Normalize(password), salt, i)              ; PBKDF2 with HMAC (section 2.2)
//   ClientKey       := HMAC(SaltedPassword, "Client Key")
//   StoredKey       := H(ClientKey)
//   ServerKey       := HMAC(SaltedPassword, "Server Key")
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { badArgument } from "../errors.ts";
import { saslprep } from "./saslprep.ts";

/** Keep these instead of a password. They check one, over PLAIN too, but are none. */
export interface ScramKeys {
  readonly salt: Uint8Array;
  /** Rounds of PBKDF2. */
  readonly iterations: number;
  /** 32 bytes. */
  readonly storedKey: Uint8Array;
  /** 32 bytes. */
  readonly serverKey: Uint8Array;
}

export interface ScramKeysOptions {
  /** Default: 16 random bytes. */
  readonly salt?: Uint8Array | undefined;
  /** Rounds of PBKDF2, at least 4096 (RFC 7677 section 4). More make guessing dearer, and logging in. Default: 4096. */
  readonly iterations?: number | undefined;
}

/** RFC 7677 section 4: "at least 4096". */
export const MIN_ITERATIONS = 4096;

/**
 * Makes the keys of a password. It blocks for one PBKDF2: about 2 ms by default.
 * @throws SmtpError `bad-argument` for fewer than 4096 iterations, and for a password that SASLprep prohibits.
 */
export function createScramKeys(password: string, options: ScramKeysOptions = {}): ScramKeys {
  const { salt = randomBytes(16), iterations = MIN_ITERATIONS } = options;
  checkIterations(iterations);
  const prepared = saslprep(password);
  if (prepared === undefined) throw badArgument("the password is empty or has a prohibited character");
  const salted = saltPassword(prepared, salt, iterations);
  return { salt, iterations, storedKey: sha256(clientKey(salted)), serverKey: serverKey(salted) };
}

/** @throws SmtpError `bad-argument` */
export function checkIterations(iterations: number): void {
  if (Number.isInteger(iterations) && iterations >= MIN_ITERATIONS && iterations < 2 ** 31) return;
  throw badArgument(`\`iterations\` is a whole number from ${MIN_ITERATIONS} on, not ${iterations}`);
}

/** SaltedPassword of a prepared password. It blocks: 4096 iterations take about 2 ms. */
export function saltPassword(prepared: string, salt: Uint8Array, iterations: number): Buffer {
  return pbkdf2Sync(prepared, salt, iterations, 32, "sha256");
}

export function clientKey(salted: Uint8Array): Buffer {
  return hmac(salted, "Client Key");
}

export function serverKey(salted: Uint8Array): Buffer {
  return hmac(salted, "Server Key");
}

export function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** `one XOR other`, of equal length. */
export function xor(one: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ (other[index] ?? 0)));
}
