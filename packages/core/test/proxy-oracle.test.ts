// Our PROXY headers against those of an implementation that we did not write, proxy-protocol-js. Where it is laxer than the
// specification, or wrong, a comment says so, and what is asked of it is less.
import { SocketAddress } from "node:net";
import fc from "fast-check";
import {
  AddressFamilyType,
  Command,
  INETProtocol,
  IPv4Address,
  IPv4ProxyAddress,
  IPv6Address,
  IPv6ProxyAddress,
  Peer,
  TransportProtocol,
  UnixAddress,
  UnixProxyAddress,
  UnspecProxyAddress,
  V1BinaryProxyProtocol,
  V2ProxyProtocol,
} from "proxy-protocol-js";
import { describe, expect, it } from "vitest";
import { ByteQueue, encodeProxyHeader, ProxyHeaderDecoder, TcpError } from "../src/index.ts";
import type { Address, ProxyEndpoints, ProxyHeader, Tlv } from "../src/index.ts";

type TcpAddress = Address & { readonly kind: "tcp" };

/** What follows a header on its connection; neither side may touch it. */
const payload = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const port = fc.nat(65_535);
const byte = fc.nat(255);
const bytesOfIPv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const bytesOfIPv6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
// Ours cannot hold a path that is not UTF-8, or goes on behind a zero byte.
const path = fc.string({ unit: "grapheme", maxLength: 27 }).filter((text) => !text.includes("\0"));

/** Bytes of version 2 before its addresses; the last two of them are the length of what follows. */
const FIXED = 16;

function textOfIPv4(bytes: Iterable<number>): string {
  return [...bytes].join(".");
}

function textOfIPv6(bytes: Iterable<number>): string {
  const hex = Buffer.from([...bytes]).toString("hex");
  return new SocketAddress({ address: hex.replace(/(....)(?=.)/g, "$1:"), family: "ipv6" }).address;
}

function pathBytes(text: string): number[] {
  const bytes = Buffer.alloc(108);
  bytes.write(text, "utf8");
  return [...bytes];
}

/** The header, and what stands behind it. */
function decode(bytes: Uint8Array): { header: ProxyHeader | undefined; rest: Buffer } {
  const queue = new ByteQueue();
  queue.push(bytes);
  const header = new ProxyHeaderDecoder(queue).take();
  return { header, rest: queue.buffer.subarray(queue.position, queue.end) };
}

/** The header, if there is one that is whole and right. */
function taken(bytes: Uint8Array): ProxyHeader | undefined {
  try {
    return decode(bytes).header;
  } catch (error) {
    if (error instanceof TcpError) return undefined;
    throw error;
  }
}

/** The endpoints as the other library has them, in our words. */
function endpointsOf({ proxyAddress }: V2ProxyProtocol): ProxyEndpoints | undefined {
  if (proxyAddress instanceof UnixProxyAddress) {
    const { sourceAddress, destinationAddress } = proxyAddress;
    const [source, destination] = [sourceAddress, destinationAddress].map(({ address }): Address => ({
      kind: "unix",
      path: Buffer.from(address).toString("utf8").replace(/\0.*$/s, ""),
    }));
    return source && destination && { source, destination };
  }
  if (proxyAddress instanceof UnspecProxyAddress) return undefined;
  const text = proxyAddress instanceof IPv4ProxyAddress ? textOfIPv4 : textOfIPv6;
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = proxyAddress;
  return {
    source: { kind: "tcp", host: text(sourceAddress.address), port: sourcePort },
    destination: { kind: "tcp", host: text(destinationAddress.address), port: destinationPort },
  };
}

const tcp = (host: fc.Arbitrary<string>): fc.Arbitrary<TcpAddress> =>
  fc.record({ kind: fc.constant("tcp" as const), host, port });
const both = <Kind extends Address>(
  address: fc.Arbitrary<Kind>,
): fc.Arbitrary<{ source: Kind; destination: Kind }> => fc.record({ source: address, destination: address });
const internet = fc.oneof(both(tcp(bytesOfIPv4.map(textOfIPv4))), both(tcp(bytesOfIPv6.map(textOfIPv6))));
const unix = both(fc.record({ kind: fc.constant("unix" as const), path }));

describe("version 1, beside proxy-protocol-js", () => {
  it("is parsed to the same", () => {
    fc.assert(
      // It wants addresses behind UNKNOWN, though the specification leaves them to the sender (section 2.1), and so
      // cannot read `PROXY UNKNOWN`.
      fc.property(internet, payload, (endpoints, behind) => {
        const written = encodeProxyHeader({ version: 1, command: "proxy", endpoints, tlvs: [] });
        const parsed = V1BinaryProxyProtocol.parse(Buffer.concat([written, behind]));
        const { source, destination } = endpoints;
        expect(parsed.inetProtocol).toBe(source.host.includes(":") ? INETProtocol.TCP6 : INETProtocol.TCP4);
        expect(parsed.source).toEqual({ ipAddress: source.host, port: source.port });
        expect(parsed.destination).toEqual({ ipAddress: destination.host, port: destination.port });
        expect(Buffer.from(parsed.data ?? [])).toEqual(behind);
      }),
    );
  });

  it("is decoded from what that builds", () => {
    const unknown = fc.constant(INETProtocol.UNKNOWN);
    const known = fc.constant(undefined);
    fc.assert(
      fc.property(internet, fc.oneof(known, unknown), payload, ({ source, destination }, given, behind) => {
        const family = given ?? (source.host.includes(":") ? INETProtocol.TCP6 : INETProtocol.TCP4);
        const from = new Peer(source.host, source.port);
        const to = new Peer(destination.host, destination.port);
        const built = new V1BinaryProxyProtocol(family, from, to, behind).build();
        const { header, rest } = decode(built);
        // What stands behind UNKNOWN is to be ignored.
        const endpoints = given === undefined ? { source, destination } : undefined;
        expect(header).toEqual({ version: 1, command: "proxy", endpoints, tlvs: [] });
        expect(rest).toEqual(behind);
      }),
    );
  });

  it("is taken with a wrong byte only where that takes it, and says the same then", () => {
    fc.assert(
      fc.property(internet, fc.nat(), byte, (endpoints, at, wrong) => {
        const written = encodeProxyHeader({ version: 1, command: "proxy", endpoints, tlvs: [] });
        written[at % written.length] = wrong;
        const header = taken(written);
        if (header === undefined) return;
        const { source, destination } = V1BinaryProxyProtocol.parse(written);
        expect(header.endpoints).toEqual({
          source: { kind: "tcp", host: source.ipAddress, port: source.port },
          destination: { kind: "tcp", host: destination.ipAddress, port: destination.port },
        });
      }),
    );
  });
});

describe("version 2, beside proxy-protocol-js", () => {
  // It knows no TLVs: for it they are the first of the bytes behind the header. So each stands here with its bytes.
  const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
    fc.uint8Array({ maxLength, size: "max" }).map((array) => Buffer.from(array));
  const tlv = fc.oneof(
    bytes(20).map((value): [Tlv, number, Buffer] => [
      { type: "alpn", protocol: value.toString("latin1") },
      1,
      value,
    ]),
    fc
      .string({ unit: "grapheme", maxLength: 20 })
      .map((host): [Tlv, number, Buffer] => [{ type: "authority", host }, 2, Buffer.from(host)]),
    fc.nat(40).map((length): [Tlv, number, Buffer] => [{ type: "noop", length }, 4, Buffer.alloc(length)]),
    bytes(128).map((value): [Tlv, number, Buffer] => [{ type: "unique-id", bytes: value }, 5, value]),
    bytes(300).map((value): [Tlv, number, Buffer] => [{ type: "ssl", bytes: value }, 0x20, value]),
    fc
      .tuple(fc.integer({ min: 0x30, max: 0xff }), bytes(60))
      .map(([code, value]): [Tlv, number, Buffer] => [{ type: "other", code, bytes: value }, code, value]),
  );
  const tlvs = fc.array(tlv, { maxLength: 5 }).map((list) => ({
    tlvs: list.map(([value]) => value),
    bytes: Buffer.concat(
      list.flatMap(([, code, value]) => [Buffer.from([code, value.length >> 8, value.length & 255]), value]),
    ),
  }));

  it("is parsed to the same", () => {
    const endpoints = fc.option(fc.oneof(internet, unix), { nil: undefined });
    fc.assert(
      fc.property(endpoints, tlvs, payload, (given, more, behind) => {
        const written = encodeProxyHeader({
          version: 2,
          command: "proxy",
          endpoints: given,
          tlvs: more.tlvs,
        });
        const parsed = V2ProxyProtocol.parse(Buffer.concat([written, behind]));
        expect(parsed.command).toBe(Command.PROXY);
        expect(parsed.transportProtocol).toBe(
          given === undefined ? TransportProtocol.UNSPEC : TransportProtocol.STREAM,
        );
        expect(endpointsOf(parsed)).toEqual(given);
        expect(Buffer.from(parsed.data ?? [])).toEqual(Buffer.concat([more.bytes, behind]));
      }),
    );
  });

  it("is parsed to the same where the sender speaks for itself", () => {
    const written = encodeProxyHeader({ version: 2, command: "local", endpoints: undefined, tlvs: [] });
    const parsed = V2ProxyProtocol.parse(Buffer.concat([written, Buffer.from("behind")]));
    expect(parsed).toMatchObject({ command: Command.LOCAL, addressFamilyType: AddressFamilyType.UNSPEC });
    expect(String(parsed.data)).toBe("behind");
  });

  const ipv4 = bytesOfIPv4.map((address) => IPv4Address.createFrom([...address]));
  const ipv6 = bytesOfIPv6.map((address) => IPv6Address.createFrom([...address]));
  const socketFile = path.map((text) => UnixAddress.createFrom(pathBytes(text)));
  const addresses = fc.oneof(
    fc.tuple(ipv4, port, ipv4, port).map((of) => new IPv4ProxyAddress(...of)),
    fc.tuple(ipv6, port, ipv6, port).map((of) => new IPv6ProxyAddress(...of)),
    fc.tuple(socketFile, socketFile).map((of) => new UnixProxyAddress(...of)),
    fc.constant(new UnspecProxyAddress()),
  );

  /** It would also build datagrams, and a family without a transport or the other way round: ours refuses these. */
  function theirs(
    command: Command,
    address: V2ProxyProtocol["proxyAddress"],
    data: Uint8Array,
  ): V2ProxyProtocol {
    const unspecified = address instanceof UnspecProxyAddress;
    const transport = unspecified ? TransportProtocol.UNSPEC : TransportProtocol.STREAM;
    return new V2ProxyProtocol(command, transport, address, data);
  }

  it("is decoded from what that builds, by PROXY or LOCAL", () => {
    fc.assert(
      fc.property(addresses, fc.boolean(), payload, (address, local, behind) => {
        const said = theirs(local ? Command.LOCAL : Command.PROXY, address, behind);
        const { header, rest } = decode(said.build());
        // Addresses behind LOCAL are to be ignored.
        const endpoints = local ? undefined : endpointsOf(said);
        expect(header).toEqual({ version: 2, command: local ? "local" : "proxy", endpoints, tlvs: [] });
        expect(rest).toEqual(behind);
      }),
    );
  });

  it("is decoded with TLVs from what that builds, once its length counts them", () => {
    fc.assert(
      fc.property(addresses, tlvs, payload, (address, more, behind) => {
        const said = theirs(Command.PROXY, address, Buffer.concat([more.bytes, behind]));
        const built = Buffer.from(said.build());
        built.writeUInt16BE(built.length - FIXED - behind.length, FIXED - 2);
        const { header, rest } = decode(built);
        const endpoints = endpointsOf(said);
        expect(header).toEqual({ version: 2, command: "proxy", endpoints, tlvs: more.tlvs });
        expect(rest).toEqual(behind);
      }),
    );
  });

  it("is taken with a wrong byte only where that takes it, and says the same then", () => {
    fc.assert(
      fc.property(fc.oneof(internet, unix), fc.nat(), byte, (endpoints, at, wrong) => {
        const written = encodeProxyHeader({ version: 2, command: "proxy", endpoints, tlvs: [] });
        written[at % written.length] = wrong;
        const header = taken(written);
        if (header === undefined) return;
        const parsed = V2ProxyProtocol.parse(written);
        expect(parsed.command).toBe(header.command === "local" ? Command.LOCAL : Command.PROXY);
        if (header.command === "proxy") expect(endpointsOf(parsed)).toEqual(header.endpoints);
      }),
    );
  });
});
