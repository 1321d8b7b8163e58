// The ceiling: what node:net can do at most. It parses nothing: all requests of a connection have the length of the
// first, so bytes are counted, and the answer is a constant. It is no server to use.
import { listenRaw } from "./listen.ts";

let response = "";

function refreshDate(): void {
  response =
    "HTTP/1.1 200 OK\r\n" +
    `Date: ${new Date().toUTCString()}\r\n` +
    "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";
}

refreshDate();
setInterval(refreshDate, 1000).unref();

listenRaw((socket) => {
  let requestLength = 0;
  let received = 0;
  socket.on("data", (chunk) => {
    if (requestLength === 0) requestLength = chunk.indexOf("\r\n\r\n") + 4;
    received += chunk.length;
    const requests = Math.floor(received / requestLength);
    received -= requests * requestLength;
    if (requests > 0) socket.write(response.repeat(requests), "latin1");
  });
});
