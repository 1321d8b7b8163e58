// A PROXY header as bytes, for clients that speak for somebody else.
import type { ProxyHeader } from "./header.ts";
import { encodeV1 } from "./v1.ts";
import { encodeV2 } from "./v2.ts";

/**
 * The bytes of a header: write them before anything else on a connection.
 * @throws TcpError `bad-option` for what that version cannot say.
 */
export function encodeProxyHeader(header: ProxyHeader): Buffer {
  return header.version === 1 ? encodeV1(header) : encodeV2(header);
}
