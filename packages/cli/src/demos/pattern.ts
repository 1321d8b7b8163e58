// Bytes on demand: any number of them, the same every time, made from one small block.

/** A prime, so that a piece that is lost, doubled or moved does not look right by chance. */
const PERIOD = 251;

const block = Uint8Array.from({ length: PERIOD * 256 }, (_byte, index) => index % PERIOD);

/** `count` bytes in pieces; byte `i` is `i % 251`. Each piece is made only when the one before was taken. */
// oxlint-disable-next-line require-await -- asynchronous because a body is; there is nothing to wait for
export async function* pattern(count: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let left = count; left > 0; left -= block.length) {
    yield left < block.length ? block.subarray(0, left) : block;
  }
}
