// The ceiling: what node:net can do at most. It minds no backpressure, so it is no server to use.
import { listenRaw } from "./listen.ts";

listenRaw((socket) => socket.on("data", (chunk) => socket.write(chunk)));
