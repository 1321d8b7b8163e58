// Behind a proxy that speaks the PROXY protocol (core's option `proxyProtocol`): hooks and trace lines name the real client.
import { encodeProxyHeader } from "@tcpkit/core";
import type { ProxyHeader } from "@tcpkit/core";
import { afterEach, describe, expect, it } from "vitest";
import type { Listener } from "@tcpkit/core";
import { serveSmtp } from "../src/index.ts";
import type { Client, Envelope } from "../src/index.ts";
import { OPEN, RawClient } from "./support.ts";

const listeners: Listener[] = [];
const clients: Client[] = [];
const envelopes: Envelope[] = [];

/** A client of a server that believes the headers of one address. */
async function start(trusted: string): Promise<RawClient> {
  const listener = await serveSmtp(
    {
      onConnect: (client) => void clients.push(client),
      onMessage: (envelope) => void envelopes.push(envelope),
    },
    { hostname: "mail.example", proxyProtocol: { from: [trusted] } },
  );
  listeners.push(listener);
  return new RawClient(listener.port);
}

afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close({ deadline: 0 });
  clients.length = 0;
  envelopes.length = 0;
});

function header(version: 1 | 2, host: string, destination: string): ProxyHeader {
  return {
    version,
    command: "proxy",
    endpoints: {
      source: { kind: "tcp", host, port: 40_000 },
      destination: { kind: "tcp", host: destination, port: 25 },
    },
    tlvs: [],
  };
}

describe("the PROXY protocol", () => {
  it.each([
    [1, "192.0.2.7", "198.51.100.1", "[192.0.2.7]"],
    [2, "192.0.2.7", "198.51.100.1", "[192.0.2.7]"],
    [1, "2001:db8::7", "2001:db8::1", "[IPv6:2001:db8::7]"],
    [2, "2001:db8::7", "2001:db8::1", "[IPv6:2001:db8::7]"],
  ] as const)("version %i brings %s", async (version, host, destination, literal) => {
    const client = await start("127.0.0.1");
    client.write(encodeProxyHeader(header(version, host, destination)));
    expect(await client.reply()).toBe("220 mail.example ESMTP ready\r\n");
    client.write(OPEN);
    await client.codes(4);
    client.write("x\r\n.\r\nQUIT\r\n");
    expect(await client.codes(2)).toEqual(["250", "221"]);
    expect(clients).toMatchObject([{ remoteAddress: host, remotePort: 40_000 }]);
    expect(envelopes).toMatchObject([{ remoteAddress: host, remotePort: 40_000 }]);
    expect(envelopes[0]?.received).toContain(`Received: from client.example (${literal})\r\n`);
  });

  it("is a bad command from anybody else, who stays who he is", async () => {
    const client = await start("192.0.2.1");
    expect(await client.codes(1)).toEqual(["220"]);
    client.write(encodeProxyHeader(header(1, "192.0.2.7", "198.51.100.1")));
    expect(await client.reply()).toMatch(/^500 5\.5\.\d Unknown command\r\n$/);
    client.write(OPEN);
    await client.codes(4);
    client.write(".\r\n");
    await client.codes(1);
    expect(clients).toMatchObject([{ remoteAddress: "127.0.0.1" }]);
    expect(envelopes[0]?.received).toContain("([127.0.0.1])");
    client.socket.destroy();
  });

  it("in version 2, which is no text, ends the connection of anybody else", async () => {
    const client = await start("192.0.2.1");
    expect(await client.codes(1)).toEqual(["220"]);
    client.write(encodeProxyHeader(header(2, "192.0.2.7", "198.51.100.1")));
    expect(await client.rest()).toMatch(/^(?:500 .*\r\n)+$/);
    expect(clients).toMatchObject([{ remoteAddress: "127.0.0.1" }]);
  });
});
