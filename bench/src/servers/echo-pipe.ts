// The shortest echo server that Node offers.
import { listenRaw } from "./listen.ts";

listenRaw((socket) => socket.pipe(socket));
