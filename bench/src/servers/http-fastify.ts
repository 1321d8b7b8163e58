// Fastify, with the same answer.
import { fastify } from "fastify";
import { announce } from "./announce.ts";

const app = fastify();
app.get("/hello", (_request, reply) => reply.type("text/plain").send("Hello, World!"));
announce(Number(new URL(await app.listen({ port: 0, host: "127.0.0.1", backlog: 1024 })).port));
