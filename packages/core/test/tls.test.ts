import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect as tlsConnect, createSecureContext } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import {
  connect,
  DeadlineTimer,
  encodeProxyHeader,
  EventLog,
  lineProtocol,
  listen,
  serve,
} from "../src/index.ts";
import type { Connection, Drop, EventRecord, Listener, TlsOptions } from "../src/index.ts";
import { fakeClock } from "../src/testing/index.ts";
import { ca, identity } from "./certificates.ts";
import { closed, rawClient, readAll } from "./support.ts";

const tls: TlsOptions = identity("one.test");

const noOpenssl = spawnSync("openssl", ["version"]).status !== 0;
if (noOpenssl) console.warn("SKIPPED: openssl is not installed (apt-get install openssl)");

/** Node's own client, once its handshake is done. */
async function client(listener: Listener, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = tlsConnect({ port: listener.port, ca, servername: "one.test", ...options });
  await once(socket, "secureConnect");
  return socket;
}

function next(listener: Listener): Promise<Connection> {
  return new Promise((resolve) => listener.once("connection", resolve));
}

function nextDrop(listener: Listener): Promise<Drop> {
  return new Promise((resolve) => listener.once("drop", resolve));
}

describe("a listener with TLS", () => {
  it("serves a protocol, and its log shows plain text", async () => {
    const log = new EventLog();
    const records: EventRecord[] = [];
    log.read((record) => records.push(record));
    await using listener = await serve(lineProtocol, (line) => line.text.toUpperCase(), { tls, tap: log });
    const socket = await client(listener);
    socket.end("hello\r\nworld\r\n");
    expect(await readAll(socket)).toBe("HELLO\r\nWORLD\r\n");
    const sent = records.flatMap((record) => (record.kind === "data" ? [Buffer.from(record.bytes)] : []));
    expect(Buffer.concat(sent).toString()).toContain("hello\r\nworld\r\n");
  });

  it.skipIf(noOpenssl && process.env["CI"] === undefined)("serves openssl s_client", async () => {
    await using listener = await serve(lineProtocol, (line) => line.text.toUpperCase(), { tls });
    const child = spawn(
      "openssl",
      [
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-verify_hostname",
        "one.test",
        "-servername",
        "one.test",
      ]
        .concat("-CAfile", new URL("certificates/test-ca.pem", import.meta.url).pathname)
        .concat("-connect", `127.0.0.1:${listener.port}`),
      { stdio: ["pipe", "pipe", "ignore"] },
    );
    child.stdin.write("hello\n");
    const [chunk] = (await once(child.stdout, "data")) as [Buffer];
    expect(String(chunk)).toBe("HELLO\r\n");
    const gone = once(child, "exit");
    child.stdin.end();
    child.kill();
    await gone;
  });

  it("tells what was negotiated", async () => {
    await using listener = await listen({
      tls: { ...tls, ca, requestCert: true, ALPNProtocols: ["h2", "x-lines"], minVersion: "TLSv1.3" },
    });
    const accepted = next(listener);
    const socket = await client(listener, { ...identity("client.test"), ALPNProtocols: ["x-lines"] });
    const connection = await accepted;
    expect(connection.tls).toMatchObject({
      protocol: "TLSv1.3",
      cipher: expect.stringMatching(/^TLS_/) as string,
      alpn: "x-lines",
      servername: "one.test",
      authorized: true,
    });
    expect(connection.tls?.peerCertificate()?.subject.CN).toBe("client.test");
    expect(connection.remote).toMatchObject({ kind: "tcp", port: socket.localPort });
    socket.end();
  });

  it("chooses the certificate by the name that the client asks for", async () => {
    await using listener = await listen({
      tls: {
        ...tls,
        SNICallback: (name, done) => {
          done(null, createSecureContext(identity(name === "two.test" ? "two.test" : "one.test")));
        },
      },
    });
    const accepted = next(listener);
    const socket = await client(listener, { servername: "two.test" });
    expect(socket.authorized).toBe(true);
    const { tls: details } = await accepted;
    expect(details).toMatchObject({ servername: "two.test", authorized: false, alpn: undefined });
    expect(details?.peerCertificate()).toBeUndefined();
    socket.end();
  });

  it("takes a renewed certificate without a restart; a bad one changes nothing", async () => {
    await using listener = await serve(lineProtocol, (line) => line.text, { tls });
    const old = await client(listener);
    listener.reloadTls(identity("two.test"));
    expect(() => listener.reloadTls({ key: "nonsense" })).toThrow(
      expect.objectContaining({ code: "bad-option" }),
    );
    const renewed = await client(listener, { servername: "two.test" });
    expect(renewed.getPeerCertificate().subject.CN).toBe("two.test");
    old.write("still here\r\n");
    expect(String((await once(old, "data"))[0])).toBe("still here\r\n");
    old.end();
    renewed.end();
    await using plain = await listen();
    expect(() => plain.reloadTls(tls)).toThrow(expect.objectContaining({ code: "bad-option" }));
  });

  it("drops a client that speaks no TLS, alone, and says so", async () => {
    const log = new EventLog();
    const records: EventRecord[] = [];
    log.read((record) => records.push(record));
    await using listener = await listen({ tls, tap: log, maxConnections: 1 });
    const dropped = nextDrop(listener);
    const plain = await rawClient(listener.port);
    const heard = readAll(plain);
    plain.write("EHLO example.org\r\n");
    expect(await dropped).toMatchObject({
      reason: "handshake",
      remote: { kind: "tcp", port: plain.localPort },
      closeReason: { kind: "protocol", cause: { code: "tls-failed", blame: "remote" } },
    });
    await heard;
    expect(records.find(({ kind }) => kind === "drop")).toMatchObject({ reason: "handshake" });
    // Its place is free again.
    const accepted = next(listener);
    const socket = await client(listener);
    await accepted;
    socket.end();
  });

  it("turns a client away whose certificate nobody vouches for", async () => {
    await using listener = await listen({ tls: { ...tls, ca, requestCert: true } });
    listener.on("connection", () => expect.unreachable());
    const dropped = nextDrop(listener);
    const socket = tlsConnect({ port: listener.port, ca, servername: "one.test" });
    socket.on("error", () => {});
    expect((await dropped).closeReason).toMatchObject({
      kind: "protocol",
      cause: { code: "tls-failed", message: expect.stringContaining("certificate") as string },
    });
    socket.destroy();
  });

  it("says when a client goes in the middle of the handshake", async () => {
    await using listener = await listen({ tls });
    const dropped = nextDrop(listener);
    (await rawClient(listener.port)).end("\x16\x03\x01");
    expect((await dropped).closeReason).toMatchObject({ kind: "reset" });
  });

  it("has a deadline for handshakes, which bytes do not put off", async () => {
    const clock = fakeClock();
    await using listener = await listen({ tls, timer: new DeadlineTimer(clock) });
    const dropped = nextDrop(listener);
    const slow = await rawClient(listener.port);
    slow.write("\x16\x03\x01");
    // Sockets are accepted in order: once this one is in, the deadline of the first is set.
    const accepted = next(listener);
    const other = await client(listener);
    await accepted;
    clock.advance(9000);
    slow.write("\x02");
    clock.advance(1200);
    expect(await dropped).toMatchObject({
      reason: "handshake",
      closeReason: { kind: "timeout", deadline: "handshake" },
    });
    slow.destroy();
    other.end();
  });

  it("does not wait for handshakes when it drains", async () => {
    const listener = await serve(lineProtocol, (line) => line.text, { tls });
    const half = await rawClient(listener.port);
    const gone = new Promise((resolve) => half.once("close", resolve));
    const accepted = next(listener);
    const socket = await client(listener);
    socket.on("end", () => socket.end());
    socket.resume();
    await accepted;
    expect(await listener.close()).toEqual({ drained: 1, cut: 0 });
    half.end();
    half.resume();
    await gone;
  });

  it("comes behind a PROXY header, even one in the same segment", async () => {
    await using listener = await serve(
      lineProtocol,
      (line, { connection }) => `${line.text} from ${JSON.stringify(connection.remote)} at ${line.start}`,
      { tls, proxyProtocol: { from: ["127.0.0.1"] } },
    );
    const source = { kind: "tcp", host: "192.0.2.1", port: 7 } as const;
    const plain = await rawClient(listener.port);
    plain.cork();
    plain.write(
      encodeProxyHeader({
        version: 2,
        command: "proxy",
        endpoints: { source, destination: source },
        tlvs: [],
      }),
    );
    const socket = tlsConnect({ socket: plain, ca, servername: "one.test" });
    plain.uncork();
    socket.end("hello\r\n");
    expect(await readAll(socket)).toBe(`hello from ${JSON.stringify(source)} at 0\r\n`);
  });

  it("resets when it is told to", async () => {
    await using listener = await listen({ tls });
    const accepted = next(listener);
    const socket = await client(listener);
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => socket.once("error", resolve));
    const connection = await accepted;
    connection.reset();
    expect((await failed).code).toBe("ECONNRESET");
    expect(await closed(connection)).toMatchObject({ kind: "aborted" });
  });

  it("refuses a key that is none", async () => {
    await expect(listen({ tls: { key: "nonsense", cert: "nonsense" } })).rejects.toMatchObject({
      code: "bad-option",
    });
  });

  it("serves core's own client, which checks the name", async () => {
    await using listener = await serve(lineProtocol, (line) => line.text, { tls });
    const connection = await connect({ port: listener.port });
    await connection.startTls("client", { ca, servername: "one.test" });
    connection.write("hello\r\n");
    expect(String((await once(connection, "data"))[0])).toBe("hello\r\n");
    expect(connection.tls).toMatchObject({ authorized: true });
    connection.end();
    const wrong = await connect({ port: listener.port });
    await expect(wrong.startTls("client", { ca, servername: "evil.test" })).rejects.toMatchObject({
      code: "tls-failed",
    });
    expect(await closed(wrong)).toMatchObject({ kind: "protocol", cause: { code: "tls-failed" } });
  });
});
