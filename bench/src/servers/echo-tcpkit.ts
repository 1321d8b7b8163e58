// Ours, as anybody would use it: every default on.
import { serveEcho } from "@tcpkit/echo";
import { announce } from "./announce.ts";

announce((await serveEcho()).port);
