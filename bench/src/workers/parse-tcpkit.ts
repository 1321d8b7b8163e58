// Ours: what a session reads requests with. It is no part of the package's public face, so it is taken from its source.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DEFAULT_LIMITS } from "@tcpkit/http-lite";
import type { RequestEvent } from "@tcpkit/http-lite";
import { parse } from "./parse.ts";

interface Incoming {
  readonly queue: { push(bytes: Uint8Array): void };
  takeRequest(): RequestEvent | undefined;
}

interface Source {
  readonly Incoming: new (kind: "request", limits: typeof DEFAULT_LIMITS) => Incoming;
}

const home = dirname(createRequire(import.meta.url).resolve("@tcpkit/http-lite/package.json"));
const { Incoming } = (await import(join(home, "src/incoming.ts"))) as Source;

await parse((request, strings, parsed) => {
  const incoming = new Incoming("request", DEFAULT_LIMITS);
  return () => {
    incoming.queue.push(request);
    const event = incoming.takeRequest();
    if (event === undefined) return;
    parsed.requests += 1;
    if (!strings) return;
    parsed.characters += event.target.length;
    for (const [name, value] of event.headers.lines()) {
      parsed.fields += 1;
      parsed.characters += name.length + value.length;
    }
  };
});
