// The parser bench: HTTP request heads in memory, without a connection.
import type { WorkBench, WorkScenario } from "../bench.ts";
import { BROWSER, requestOf } from "../load/requests.ts";

/** What curl sends. */
const FEW: readonly string[] = ["Host: 127.0.0.1", "User-Agent: curl/8.14.1", "Accept: */*"];

function scenario(name: string, fields: readonly string[], strings: boolean): WorkScenario {
  const made = strings ? "target, names and values are all made into strings" : "nothing is made of it";
  return {
    name,
    title: `a request with ${fields.length} field lines is parsed, and ${made}`,
    unit: "requests",
    options: { request: requestOf(fields), fields: fields.length, strings },
  };
}

export const parser: WorkBench = {
  type: "workers",
  name: "parser",
  title: "HTTP/1.1 parsers alone",
  contestants: [
    { name: "@tcpkit/http-lite", file: "parse-tcpkit.ts" },
    { name: "node's llhttp (C)", file: "parse-node.ts" },
    { name: "undici's llhttp (WASM)", file: "parse-undici.ts" },
  ],
  scenarios: [
    scenario("few fields", FEW, false),
    scenario("few fields, strings", FEW, true),
    scenario("browser", BROWSER, false),
    scenario("browser, strings", BROWSER, true),
  ],
  targets: [],
  missing: [],
};
