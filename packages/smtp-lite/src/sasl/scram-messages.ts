// The messages of SCRAM, RFC 5802 section 7, to values and back. It knows characters; it knows no keys.
//
//   client-first-message  = gs2-cbind-flag "," [ "a=" saslname ] "," client-first-message-bare
//   gs2-cbind-flag        = "p=" cb-name / "n" / "y"
//   client-first-bare     = [reserved-mext ","] "n=" saslname "," "r=" c-nonce ["," extensions]
//   server-first-message  = [reserved-mext ","] "r=" c-nonce s-nonce ",s=" base64 ",i=" 1*DIGIT ["," extensions]
//   client-final-message  = "c=" base64 ",r=" c-nonce s-nonce ["," extensions] ",p=" base64
//   server-final-message  = ( "e=" error / "v=" base64 ) ["," extensions]
//   saslname              = 1*( any but "," and "=" / "=2C" / "=3D" )
//   nonce                 = printable ASCII but ","
//
// reserved-mext ("m=") is an extension that must be understood; there is none, so it is refused. Other extensions are ignored.
import { decodeBase64 } from "./bytes.ts";

export interface ClientFirst {
  /** `gs2-cbind-flag "," [authzid] ","`: comes back in the last message, so that nobody can change it on the way. */
  readonly header: string;
  /** The client insists on channel binding. */
  readonly wantsBinding: boolean;
  readonly authorizationId: string | undefined;
  readonly bare: string;
  readonly username: string;
  readonly nonce: string;
}

export function parseClientFirst(text: string): ClientFirst | undefined {
  const match =
    /^((n|y|p=[A-Za-z0-9.-]+),(?:a=([^,]+))?,)(n=([^,]+),r=([!-+\--~]+)(?:,[A-Za-z]=[^,]+)*)$/.exec(text);
  if (match === null) return undefined;
  const [, header = "", flag = "", authzid, bare = "", name = "", nonce = ""] = match;
  const username = unescapeName(name);
  const authorizationId = authzid === undefined ? undefined : unescapeName(authzid);
  if (username === undefined || (authzid !== undefined && authorizationId === undefined)) return undefined;
  return { header, wantsBinding: flag.startsWith("p"), authorizationId, bare, username, nonce };
}

export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

export function parseServerFirst(text: string): ServerFirst | undefined {
  const match = /^r=([!-+\--~]+),s=([^,]+),i=([1-9][0-9]{0,9})(?:,[A-Za-z]=[^,]+)*$/.exec(text);
  if (match === null) return undefined;
  const [, nonce = "", base64 = "", iterations] = match;
  const salt = decodeBase64(base64);
  return salt === undefined ? undefined : { nonce, salt, iterations: Number(iterations) };
}

export function formatServerFirst({ nonce, salt, iterations }: ServerFirst): string {
  return `r=${nonce},s=${salt.toString("base64")},i=${iterations}`;
}

export interface ClientFinal {
  /** What the client says that its header was. */
  readonly header: string;
  readonly nonce: string;
  readonly proof: Buffer;
  /** All before `,p=`. */
  readonly withoutProof: string;
}

export function parseClientFinal(text: string): ClientFinal | undefined {
  const match = /^(c=([^,]+),r=([!-+\--~]+)(?:,[A-Za-z]=[^,]+)*),p=([^,]+)$/.exec(text);
  if (match === null) return undefined;
  const [, withoutProof = "", header = "", nonce = "", base64 = ""] = match;
  const proof = decodeBase64(base64);
  const binding = decodeBase64(header);
  if (proof?.length !== 32 || binding === undefined) return undefined;
  return { header: binding.toString(), nonce, proof, withoutProof };
}

/** `{ error }`, or the server's signature. */
export type ServerFinal = { readonly error: string } | { readonly signature: Buffer };

export function parseServerFinal(text: string): ServerFinal | undefined {
  const match = /^([ev])=([^,]+)(?:,[A-Za-z]=[^,]+)*$/.exec(text);
  if (match === null) return undefined;
  const [, kind, value = ""] = match;
  if (kind === "e") return { error: value };
  const signature = decodeBase64(value);
  return signature === undefined ? undefined : { signature };
}

export function escapeName(name: string): string {
  return name.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

function unescapeName(name: string): string | undefined {
  if (!/^(?:[^=]|=2C|=3D)+$/.test(name)) return undefined;
  return name.replaceAll("=2C", ",").replaceAll("=3D", "=");
}
