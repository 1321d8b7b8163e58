// The parser of node:http, llhttp in C, with its binding. It is not public, but can be had without a flag.
import { createRequire } from "node:module";
import { parse } from "./parse.ts";

interface HTTPParser {
  initialize(type: number, resource: object): void;
  execute(chunk: Buffer): number | Error;
  [callback: number]: ((...given: never[]) => unknown) | undefined;
}

interface Common {
  readonly HTTPParser: {
    new (): HTTPParser;
    readonly REQUEST: number;
    readonly kOnHeadersComplete: number;
    readonly kOnMessageComplete: number;
  };
}

const { HTTPParser } = createRequire(import.meta.url)("node:_http_common") as Common;

await parse((request, strings, parsed) => {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  // Without a callback for heads, the binding makes no strings.
  if (strings) {
    parser[HTTPParser.kOnHeadersComplete] = (
      _major: number,
      _minor: number,
      fields: readonly string[],
      _method: number,
      target: string,
    ): void => {
      parsed.characters += target.length;
      parsed.fields += fields.length / 2;
      for (const text of fields) parsed.characters += text.length;
    };
  }
  parser[HTTPParser.kOnMessageComplete] = (): void => {
    parsed.requests += 1;
  };
  return () => {
    const read = parser.execute(request);
    if (typeof read !== "number") throw read;
  };
});
