// Bun.serve: counts what is posted, and streams a large reply. Bun runs it; its only argument is the port.
import { SIZE, stream } from "./large-reply.ts";

declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    fetch(request: Request): Response | Promise<Response>;
  }): unknown;
};

Bun.serve({
  port: Number(process.argv[2]),
  hostname: "127.0.0.1",
  async fetch(request) {
    if (request.method === "GET") {
      return new Response(stream(), { headers: { "content-length": String(SIZE) } });
    }
    let length = 0;
    for await (const bytes of request.body ?? []) length += bytes.length;
    return new Response(String(length));
  },
});
