// Bun.serve, with the same answer. Bun runs it; its only argument is the port.

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
  fetch: (request) =>
    new URL(request.url).pathname === "/hello"
      ? new Response("Hello, World!", { headers: { "content-type": "text/plain" } })
      : new Response(null, { status: 404 }),
});
