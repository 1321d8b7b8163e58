// The certificates of the tests: see certificates/README.md.
import { readFileSync } from "node:fs";

function read(name: string): Buffer {
  return readFileSync(new URL(`certificates/test-${name}.pem`, import.meta.url));
}

/** The authority that vouches for the others. */
export const ca: Buffer = read("ca");

/** What a server of this name needs, or a client. */
export function identity(name: "one.test" | "two.test" | "client.test"): { key: Buffer; cert: Buffer } {
  return { key: read(`${name}-key`), cert: read(name) };
}
