import { readFileSync } from "node:fs";
import { SocketAddress } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteQueue, encodeProxyHeader, ProxyHeaderDecoder, TcpError } from "../src/index.ts";
import type { Address, ProxyHeader, Session, Span, Tlv } from "../src/index.ts";
import { crc32c } from "../src/proxy/crc32c.ts";
import { verifyDecoder } from "../src/testing/index.ts";

interface Vector {
  readonly name: string;
  readonly text?: string;
  readonly hex?: string;
  /** Without `endpoints` where there are none, and with bytes in hexadecimal. */
  readonly header?: ProxyHeader;
  /** Where an invalid one is wrong. */
  readonly offset?: number;
  /** Says more than the header keeps. */
  readonly lossy?: boolean;
}

const { valid, invalid } = JSON.parse(
  readFileSync(new URL("vectors/proxy.json", import.meta.url), "utf8"),
) as { valid: Vector[]; invalid: Vector[] };

interface HeaderEvent extends Span {
  readonly header: ProxyHeader;
}

/** The decoder as a session of one event, so that `verifyDecoder` may cut its bytes. */
class HeaderSession implements Session<HeaderEvent, never> {
  readonly state = "header";
  readonly partial = false;
  finished = false;
  failure: Error | undefined;
  readonly queue: ByteQueue = new ByteQueue();
  readonly #decoder = new ProxyHeaderDecoder(this.queue);

  receive(bytes: Uint8Array): void {
    this.queue.push(bytes);
  }

  next(): HeaderEvent | undefined {
    const header = this.#decoder.take();
    if (header === undefined) return undefined;
    this.finished = true;
    return { header, start: 0, end: this.queue.offset };
  }

  send(): string {
    return "";
  }

  end(): void {}
}

function bytesOf({ text, hex }: Vector): Buffer {
  return text === undefined
    ? Buffer.from((hex ?? "").replaceAll(" ", ""), "hex")
    : Buffer.from(text, "latin1");
}

/** A header as the vectors have it. */
function plain(header: ProxyHeader): unknown {
  return JSON.parse(
    JSON.stringify(header, (key, value: unknown) =>
      key === "bytes" ? Buffer.from(value as Uint8Array).toString("hex") : value,
    ),
  );
}

function decode(bytes: Uint8Array): ProxyHeader | undefined {
  const queue = new ByteQueue();
  queue.push(bytes);
  return new ProxyHeaderDecoder(queue).take();
}

function refusal(input: Uint8Array, step: number): TcpError | undefined {
  const queue = new ByteQueue();
  const decoder = new ProxyHeaderDecoder(queue);
  try {
    for (let at = 0; at < input.length; at += step) {
      queue.push(Buffer.from(input.subarray(at, at + step)));
      if (decoder.take() !== undefined) return undefined;
    }
  } catch (error) {
    if (error instanceof TcpError) return error;
    throw error;
  }
  return undefined;
}

describe("a PROXY header", () => {
  it.each(valid)("$name: is the same however it is cut, and what follows is left", (vector) => {
    const bytes = bytesOf(vector);
    const events = verifyDecoder({
      session: () => new HeaderSession(),
      input: bytes,
      trailing: "PROXY is what comes next",
      end: false,
    }) as HeaderEvent[];
    expect(events.map(({ header }) => plain(header))).toEqual([vector.header]);
    expect(events[0]?.end).toBe(bytes.length);
  });

  it.each(valid.filter(({ lossy }) => lossy !== true))("$name: is written as it was read", (vector) => {
    const bytes = bytesOf(vector);
    const header = decode(bytes);
    expect(header === undefined ? undefined : encodeProxyHeader(header).toString("hex")).toBe(
      bytes.toString("hex"),
    );
  });

  it.each(invalid)("$name: is refused, and at its first wrong byte", (vector) => {
    const bytes = bytesOf(vector);
    const expected = { code: "bad-proxy-header", blame: "remote", offset: vector.offset };
    expect(refusal(bytes, bytes.length)).toMatchObject(expected);
    expect(refusal(bytes, 1)).toMatchObject(expected);
  });

  it("has a right checksum, or is refused whichever bit is wrong", () => {
    const written = encodeProxyHeader({
      version: 2,
      command: "proxy",
      endpoints: {
        source: { kind: "tcp", host: "192.0.2.1", port: 1 },
        destination: { kind: "tcp", host: "192.0.2.2", port: 2 },
      },
      tlvs: [{ type: "unique-id", bytes: Buffer.from("a") }, { type: "crc32c" }],
    });
    expect(decode(written)?.tlvs.map(({ type }) => type)).toEqual(["unique-id", "crc32c"]);
    for (let bit = 8 * 16; bit < 8 * 28; bit++) {
      const wrong = Buffer.from(written);
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(refusal(wrong, wrong.length)).toMatchObject({ code: "bad-proxy-header" });
    }
    const twice = encodeProxyHeader({
      version: 2,
      command: "proxy",
      endpoints: undefined,
      tlvs: [{ type: "crc32c" }],
    });
    expect(refusal(Buffer.concat([twice.fill(14, 15, 16), twice.subarray(16)]), 100)?.message).toContain(
      "checksum",
    );
  });
});

describe("CRC-32C", () => {
  // RFC 3720, appendix B.4.
  it.each([
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
    [Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c],
    [Buffer.from("123456789"), 0xe3069283],
  ])("of %o", (bytes, crc) => {
    expect(crc32c(bytes)).toBe(crc);
  });
});

describe("encodeProxyHeader", () => {
  const port = fc.nat(65_535);
  const tcp = (host: fc.Arbitrary<string>): fc.Arbitrary<Address> =>
    fc.record({ kind: fc.constant("tcp" as const), host, port });
  // As this library writes it, so that the same text comes back.
  const ipv6 = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((array) =>
      Buffer.from(array)
        .toString("hex")
        .replace(/(....)(?=.)/g, "$1:"),
    )
    .map((address) => new SocketAddress({ address, family: "ipv6" }).address);
  const unix = fc.record({
    kind: fc.constant("unix" as const),
    path: fc.string({ unit: "grapheme-ascii", maxLength: 108 }).filter((path) => !path.includes("\0")),
  });
  const both = (address: fc.Arbitrary<Address>): fc.Arbitrary<NonNullable<ProxyHeader["endpoints"]>> =>
    fc.record({ source: address, destination: address });
  const internet = fc.oneof(both(tcp(fc.ipV4())), both(tcp(ipv6)));
  const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
    fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
  const tlv: fc.Arbitrary<Tlv> = fc.oneof(
    fc.record({
      type: fc.constant("alpn" as const),
      protocol: fc.string({ unit: "binary-ascii", maxLength: 20 }),
    }),
    fc.record({
      type: fc.constant("authority" as const),
      host: fc.string({ unit: "grapheme", maxLength: 20 }),
    }),
    fc.record({ type: fc.constant("noop" as const), length: fc.nat(40) }),
    fc.record({ type: fc.constant("unique-id" as const), bytes: bytes(128) }),
    fc.record({ type: fc.constant("ssl" as const), bytes: bytes(60) }),
    fc.record({
      type: fc.constant("other" as const),
      code: fc.integer({ min: 0x30, max: 0xff }),
      bytes: bytes(60),
    }),
  );
  const tlvs = fc
    .tuple(fc.array(tlv, { maxLength: 6 }), fc.boolean())
    .map(([list, sum]): Tlv[] => (sum ? [...list, { type: "crc32c" }] : list));
  const header: fc.Arbitrary<ProxyHeader> = fc.oneof(
    fc.record({
      version: fc.constant(1 as const),
      command: fc.constant("proxy" as const),
      endpoints: fc.option(internet, { nil: undefined }),
      tlvs: fc.constant([]),
    }),
    fc.record({
      version: fc.constant(2 as const),
      command: fc.constant("proxy" as const),
      endpoints: fc.option(fc.oneof(internet, both(unix)), { nil: undefined }),
      tlvs,
    }),
  );

  it("is the inverse of the decoder", () => {
    fc.assert(
      fc.property(header, (value) => {
        expect(decode(encodeProxyHeader(value))).toEqual(value);
      }),
    );
  });

  const some = { version: 2, command: "proxy", endpoints: undefined, tlvs: [] } as const;
  const v4 = { kind: "tcp", host: "192.0.2.1", port: 1 } as const;
  const v6 = { kind: "tcp", host: "::1", port: 1 } as const;
  const socket = { kind: "unix", path: "/run/a" } as const;
  const from = (source: Address, destination: Address = source): Partial<ProxyHeader> => ({
    endpoints: { source, destination },
  });
  it.each<[string, Partial<ProxyHeader>]>([
    ["version 1 with TLVs", { version: 1, tlvs: [{ type: "noop", length: 1 }] }],
    ["version 1 with LOCAL", { version: 1, command: "local" }],
    ["version 1 with a Unix socket", { version: 1, ...from(socket) }],
    ["version 1 with two families", { version: 1, ...from(v4, v6) }],
    ["version 1 with a line end in the address", { version: 1, ...from({ ...v4, host: "1.2.3.4\r\n" }) }],
    ["version 2 with two families", from(v4, v6)],
    ["version 2 with a socket and a port", from(socket, v6)],
    ["a host name", from({ ...v4, host: "localhost" })],
    ["a port that is none", from({ ...v4, port: 65_536 })],
    ["a path of 109 bytes", from({ kind: "unix", path: "x".repeat(109) })],
    ["LOCAL with addresses", { command: "local", ...from(v4) }],
    ["more than 4096 bytes", { tlvs: [{ type: "noop", length: 4096 }] }],
    ["a unique id of 129 bytes", { tlvs: [{ type: "unique-id", bytes: Buffer.alloc(129) }] }],
    ["two checksums", { tlvs: [{ type: "crc32c" }, { type: "crc32c" }] }],
    ["a known TLV under another name", { tlvs: [{ type: "other", code: 3, bytes: Buffer.alloc(4) }] }],
  ])("refuses %s", (_, wrong) => {
    expect(() => encodeProxyHeader({ ...some, ...wrong })).toThrow(
      expect.objectContaining({ code: "bad-option" }),
    );
  });
});
