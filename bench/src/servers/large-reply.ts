// The large reply of all servers here: the same piece, again and again.

/** Its length in bytes. */
export const SIZE = 33_554_432;

export const PIECE: Uint8Array<ArrayBuffer> = new Uint8Array(65_536).fill(120);

/** The pieces of one reply. */
export function* pieces(): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  for (let left = SIZE; left > 0; left -= PIECE.length) yield PIECE;
}

/** The same as a web stream. */
export function stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = SIZE;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(PIECE);
      left -= PIECE.length;
      if (left === 0) controller.close();
    },
  });
}
