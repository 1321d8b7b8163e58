// Deno.serve, with the same answer. Deno runs it; its only argument is the port.

declare const Deno: {
  readonly args: readonly string[];
  serve(
    options: { port: number; hostname: string },
    handler: (request: Request) => Response | Promise<Response>,
  ): unknown;
};

Deno.serve({ port: Number(Deno.args[0]), hostname: "127.0.0.1" }, (request) =>
  new URL(request.url).pathname === "/hello"
    ? new Response("Hello, World!", { headers: { "content-type": "text/plain" } })
    : new Response(null, { status: 404 }),
);
