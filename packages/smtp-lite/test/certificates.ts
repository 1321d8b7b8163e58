// Core's certificates for tests: see the README beside them.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const pem = (name: string): URL => new URL(`../../core/test/certificates/test-${name}.pem`, import.meta.url);

/** The authority that vouches for the others. */
export const ca: Buffer = readFileSync(pem("ca"));
export const caFile: string = fileURLToPath(pem("ca"));

/** What a server of this name needs. */
export function identity(name: "one.test" | "two.test"): { key: Buffer; cert: Buffer } {
  return { key: readFileSync(pem(`${name}-key`)), cert: readFileSync(pem(name)) };
}
