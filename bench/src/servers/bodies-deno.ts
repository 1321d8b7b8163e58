// Deno.serve: counts what is posted, and streams a large reply. Deno runs it; its only argument is the port.
import { SIZE, stream } from "./large-reply.ts";

declare const Deno: {
  readonly args: readonly string[];
  serve(
    options: { port: number; hostname: string },
    handler: (request: Request) => Response | Promise<Response>,
  ): unknown;
};

Deno.serve({ port: Number(Deno.args[0]), hostname: "127.0.0.1" }, async (request) => {
  if (request.method === "GET") {
    return new Response(stream(), { headers: { "content-length": String(SIZE) } });
  }
  let length = 0;
  for await (const bytes of request.body ?? []) length += bytes.length;
  return new Response(String(length));
});
