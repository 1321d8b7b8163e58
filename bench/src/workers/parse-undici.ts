// llhttp in WebAssembly, as undici brings it, driven as undici drives it: bytes are copied in, spans come out.
import { createRequire } from "node:module";
import { parse } from "./parse.ts";

/** What Node has of WebAssembly's API, as far as it is used here; Node's types leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  llhttp_alloc(type: number): number;
  malloc(bytes: number): number;
  llhttp_execute(parser: number, at: number, length: number): number;
}

const REQUEST = 1;
const wasm = createRequire(import.meta.url)("undici/lib/llhttp/llhttp_simd-wasm.js") as Buffer;
const module = new WebAssembly.Module(wasm);

await parse((request, strings, parsed) => {
  let base = 0;
  const text = (at: number, length: number): string =>
    request.toString("latin1", at - base, at - base + length);
  const nothing = (): number => 0;
  const count = (_parser: number, at: number, length: number): number => {
    parsed.characters += text(at, length).length;
    return 0;
  };
  const { exports } = new WebAssembly.Instance(module, {
    env: {
      wasm_on_message_begin: nothing,
      wasm_on_status: nothing,
      wasm_on_url: strings ? count : nothing,
      wasm_on_header_field: strings ? count : nothing,
      wasm_on_header_value: strings
        ? (parser: number, at: number, length: number): number => {
            parsed.fields += 1;
            return count(parser, at, length);
          }
        : nothing,
      wasm_on_headers_complete: nothing,
      wasm_on_body: nothing,
      wasm_on_message_complete: () => {
        parsed.requests += 1;
        return 0;
      },
    },
  });
  const llhttp = exports as unknown as Llhttp;
  llhttp._initialize();
  const parser = llhttp.llhttp_alloc(REQUEST);
  base = llhttp.malloc(request.length);
  const bytes = new Uint8Array(llhttp.memory.buffer, base, request.length);
  return () => {
    bytes.set(request);
    const error = llhttp.llhttp_execute(parser, base, request.length);
    if (error !== 0) throw new Error(`llhttp: error ${error}`);
  };
});
