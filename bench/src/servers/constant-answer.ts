// What the ceilings answer: the same to every request, without a look at it. All requests of a connection have the
// length of the first, so bytes are counted.

let response = "";

function refreshDate(): void {
  response =
    "HTTP/1.1 200 OK\r\n" +
    `Date: ${new Date().toUTCString()}\r\n` +
    "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";
}

refreshDate();
setInterval(refreshDate, 1000).unref();

/** One connection of a server that parses nothing. */
export class ConstantAnswer {
  #requestLength = 0;
  #received = 0;

  /** What to send for the first `length` bytes of `chunk`; "" while no request is complete. */
  answer(chunk: Buffer, length: number): string {
    if (this.#requestLength === 0) this.#requestLength = chunk.indexOf("\r\n\r\n") + 4;
    this.#received += length;
    const requests = Math.floor(this.#received / this.#requestLength);
    this.#received -= requests * this.#requestLength;
    return requests === 1 ? response : response.repeat(requests);
  }
}
