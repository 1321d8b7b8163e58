// The application that Hono's contestants share.
import { Hono } from "hono";

export const app: Hono = new Hono();
app.get("/hello", (context) => context.text("Hello, World!"));
