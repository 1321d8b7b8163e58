// `pnpm check:imports`: prints every import that does not point down, and fails when there is one.
import { join } from "node:path";
import { breaches } from "./floors.ts";

const found = breaches(join(import.meta.dirname, ".."));
for (const breach of found) console.error(breach);
console.log(
  found.length === 0 ? "Imports point down only." : `${found.length} imports or references are wrong.`,
);
process.exitCode = found.length === 0 ? 0 : 1;
