// One PROXY header off the front of a byte stream, whichever version it is. It knows where a header ends, no sockets.
import type { ByteQueue } from "../bytes.ts";
import { badHeader } from "./bad-header.ts";
import type { ProxyHeader } from "./header.ts";
import { parseV1, V1_LONGEST, V1_PREFIX } from "./v1.ts";
import { lengthV2, parseV2, V2_FIXED, V2_SIGNATURE } from "./v2.ts";

const CR = 13;
const LF = 10;

/** Takes the header from a queue; what stands behind it stays there. A wrong one is seen at its first wrong byte. */
export class ProxyHeaderDecoder {
  readonly #queue: ByteQueue;

  /** The queue must stand at the stream's beginning. */
  constructor(queue: ByteQueue) {
    this.#queue = queue;
  }

  /**
   * The header, or `undefined` while some of it has not arrived: 107 bytes of version 1, 4096 of version 2, at most.
   * @throws TcpError `bad-proxy-header`, blame `remote`, with the offset; there is no going on then.
   */
  take(): ProxyHeader | undefined {
    const queue = this.#queue;
    const { length } = queue;
    if (length === 0) return undefined;
    const bytes = queue.buffer.subarray(queue.position, queue.end);
    return bytes[0] === CR ? this.#takeV2(bytes) : this.#takeV1(bytes);
  }

  #takeV1(bytes: Buffer): ProxyHeader | undefined {
    expectPrefix(bytes, V1_PREFIX);
    const searched = bytes.subarray(0, V1_LONGEST);
    const cr = searched.indexOf(CR);
    const lf = searched.indexOf(LF);
    if (lf >= 0 && lf !== cr + 1) throw badHeader("LF without CR", lf);
    if (cr >= 0 && cr + 1 < searched.length && lf < 0) throw badHeader("CR without LF", cr);
    if (lf < 0) {
      if (bytes.length >= V1_LONGEST) throw badHeader(`no CRLF within ${V1_LONGEST} bytes`, V1_LONGEST);
      return undefined;
    }
    const header = parseV1(bytes.toString("latin1", 0, cr));
    this.#queue.skip(lf + 1);
    return header;
  }

  #takeV2(bytes: Buffer): ProxyHeader | undefined {
    expectPrefix(bytes, V2_SIGNATURE);
    if (bytes.length < V2_FIXED) return undefined;
    const length = lengthV2(bytes);
    if (bytes.length < length) return undefined;
    // A copy: the header may outlive what else stands in this chunk.
    const header = parseV2(Buffer.from(bytes.subarray(0, length)));
    this.#queue.skip(length);
    return header;
  }
}

function expectPrefix(bytes: Buffer, prefix: string): void {
  for (let index = 0; index < Math.min(bytes.length, prefix.length); index++) {
    if (bytes[index] !== prefix.charCodeAt(index)) throw badHeader("neither version 1 nor 2", index);
  }
}
