import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { connect, DeadlineTimer, drive, lineProtocol, serve } from "../src/index.ts";
import type {
  CloseReason,
  Connection,
  Handler,
  LineEvent,
  Listener,
  Protocol,
  ServeOptions,
  TlsOptions,
} from "../src/index.ts";
import { fakeClock, pair, splitEvery } from "../src/testing/index.ts";
import { ca, identity } from "./certificates.ts";
import { closed, joined, rawClient, readAll } from "./support.ts";

const tls: TlsOptions = identity("one.test");
const trust = { ca, servername: "one.test" };

/** A line protocol with STARTTLS; the list has every line that reached it. */
function secretary(
  heard: string[],
  before: Promise<unknown> = Promise.resolve(),
): Handler<LineEvent, string> {
  return (line, peer) => {
    heard.push(line.text);
    if (line.text !== "STARTTLS") {
      return `${line.text} ${peer.connection.tls === undefined ? "in the clear" : "in secret"}, at ${line.start}`;
    }
    return before.then(() => {
      peer.send("220 go ahead");
      return peer.startTls("server", tls);
    });
  };
}

function serveLines(heard: string[], options: ServeOptions = {}): Promise<Listener> {
  return serve(lineProtocol, secretary(heard), options);
}

async function secure(socket: Socket): Promise<TLSSocket> {
  const secret = tlsConnect({ socket, ...trust });
  await once(secret, "secureConnect");
  return secret;
}

async function hear(socket: Socket | Connection): Promise<string> {
  return String((await once(socket as Socket, "data"))[0]);
}

describe("STARTTLS in the server's role", () => {
  it("encrypts in place", async () => {
    await using listener = await serveLines([]);
    const plain = await rawClient(listener.port);
    plain.write("one\r\nSTARTTLS\r\n");
    expect(await hear(plain)).toBe("one in the clear, at 0\r\n220 go ahead\r\n");
    const secret = await secure(plain);
    secret.end("two\r\n");
    expect(await readAll(secret)).toBe("two in secret, at 15\r\n");
  });

  // CVE-2021-38371 and its like: what an attacker puts behind the command must not count as encrypted.
  it.each(["INJECTED\r\n", "INJECTED\r\nINJECTED AGAIN\r\n", "HALF OF A LINE", "\r\n", "I"])(
    "destroys %j behind the command",
    async (injected) => {
      const heard: string[] = [];
      await using listener = await serveLines(heard);
      const plain = await rawClient(listener.port);
      plain.write(`STARTTLS\r\n${injected}`);
      expect(await hear(plain)).toBe("220 go ahead\r\n");
      const secret = await secure(plain);
      secret.end("two\r\n");
      expect(await readAll(secret)).toBe(`two in secret, at ${10 + injected.length}\r\n`);
      expect(heard).toEqual(["STARTTLS", "two"]);
    },
  );

  it("destroys what comes while the handler is at work, or fails the handshake over it", async () => {
    const heard: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await using listener = await serve(lineProtocol, secretary(heard, promise));
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const plain = await rawClient(listener.port);
    const [connection] = await accepted;
    plain.write("STARTTLS\r\n");
    await once(connection, "data");
    plain.write("INJECTED\r\n");
    await once(connection, "data");
    // The driver has taken one chunk more and reads no further: this waits below.
    plain.write("INJECTED AS WELL\r\n");
    plain.resume();
    resolve();
    const reason = await closed(connection);
    // The kernel may have had it before the go-ahead left or not: it is destroyed, or is no TLS.
    expect(reason).toMatchObject({ kind: "protocol", cause: { code: "tls-failed" } });
    expect(heard).toEqual(["STARTTLS"]);
    plain.destroy();
  });

  it("never takes plain text for the handshake", async () => {
    const heard: string[] = [];
    await using listener = await serveLines(heard);
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const plain = await rawClient(listener.port);
    const [connection] = await accepted;
    plain.write("STARTTLS\r\n");
    await hear(plain);
    plain.write("INJECTED\r\n");
    expect(await closed(connection)).toMatchObject({
      kind: "protocol",
      cause: { code: "tls-failed", blame: "remote" },
    });
    expect(heard).toEqual(["STARTTLS"]);
    plain.destroy();
  });

  it("has a deadline", async () => {
    const clock = fakeClock();
    await using listener = await serveLines([], { timer: new DeadlineTimer(clock) });
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const plain = await rawClient(listener.port);
    const [connection] = await accepted;
    plain.write("STARTTLS\r\n");
    await hear(plain);
    clock.advance(9900);
    expect(connection.closeReason).toBeUndefined();
    clock.advance(300);
    expect(await closed(connection)).toMatchObject({ kind: "timeout", deadline: "handshake" });
    plain.destroy();
  });

  it("does not hold up a drain in the middle of a handshake", async () => {
    const listener = await serveLines([]);
    const plain = await rawClient(listener.port);
    const gone = new Promise((resolve) => plain.once("close", resolve));
    plain.write("STARTTLS\r\n");
    await hear(plain);
    expect(await listener.close({ deadline: 60_000 })).toEqual({ drained: 1, cut: 0 });
    plain.end();
    await gone;
  });

  it("needs a session that can forget", async () => {
    const forgetful: Protocol<LineEvent, string> = {
      ...lineProtocol,
      session() {
        const session = lineProtocol.session();
        Object.defineProperty(session, "forget", { value: undefined });
        return session;
      },
    };
    await using listener = await serve(forgetful, secretary([]));
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const plain = await rawClient(listener.port);
    const [connection] = await accepted;
    const failed = new Promise<Error>((resolve) => connection.once("error", resolve));
    plain.write("STARTTLS\r\n");
    expect(await failed).toMatchObject({ code: "handler-failed", cause: { code: "bad-option" } });
    plain.destroy();
  });

  it("lets nothing be sent beside the handshake", async () => {
    const failures: unknown[] = [];
    await using listener = await serve(lineProtocol, (_, peer) => {
      // Wrong: the go-ahead must go before.
      void peer.startTls("server", tls).catch((error: unknown) => failures.push(error));
      return "220 too late";
    });
    const accepted = once(listener, "connection") as Promise<[Connection]>;
    const plain = await rawClient(listener.port);
    const [connection] = await accepted;
    const failed = new Promise<Error>((resolve) => connection.once("error", resolve));
    plain.write("STARTTLS\r\n");
    expect(await failed).toMatchObject({ code: "handler-failed", cause: { code: "tls-active" } });
    expect(await readAll(plain).catch(() => "")).toBe("");
    plain.destroy();
  });
});

describe("startTls of a connection", () => {
  it("sends all that was written before, and begins then", async () => {
    const { listener, server, client } = await joined();
    const bulk = Buffer.alloc(16_000_000, "x");
    let received = 0;
    const whole = new Promise<void>((resolve) => {
      client.on("data", (chunk) => {
        received += chunk.length;
        if (received === bulk.length) resolve();
      });
    });
    server.write(bulk);
    expect(server.congested).toBe(true);
    const drained = once(server, "drain");
    const secured = server.startTls("server", tls);
    await whole;
    await Promise.all([secured, client.startTls("client", trust), drained]);
    const heard = hear(client);
    server.write("in secret");
    expect(await heard).toBe("in secret");
    client.end();
    await closed(server);
    await listener.close();
  });

  it("lets the go-ahead of a handler leave first", async () => {
    const secured = Promise.withResolvers<void>();
    await using listener = await serve(lineProtocol, (_line, peer) => {
      peer.send("220 go ahead");
      peer.connection.startTls("server", tls).then(secured.resolve, secured.reject);
    });
    const plain = await rawClient(listener.port);
    plain.write("STARTTLS\r\n");
    expect(await hear(plain)).toBe("220 go ahead\r\n");
    const secret = await secure(plain);
    await secured.promise;
    secret.destroy();
  });

  it("works without a port, whatever the chunks", async () => {
    const { client, server } = pair({ faults: splitEvery(7) });
    await Promise.all([server.startTls("server", tls), client.startTls("client", trust)]);
    expect(client.tls).toMatchObject({ protocol: "TLSv1.3", authorized: true });
    drive(server, lineProtocol, (line) => line.text.toUpperCase());
    let heard = "";
    client.on("data", (chunk) => (heard += String(chunk)));
    client.write("hello\n");
    client.end();
    expect((await closed(client)).kind).toBe("local");
    expect(heard).toBe("HELLO\r\n");
  });

  it("refuses a second time, and a key that is none", async () => {
    const { listener, server, client } = await joined();
    await expect(server.startTls("server", { key: "nonsense" })).rejects.toMatchObject({
      code: "bad-option",
    });
    const first = server.startTls("server", tls);
    await expect(server.startTls("server", tls)).rejects.toMatchObject({ code: "tls-active" });
    expect(() => server.write("beside it")).toThrow(expect.objectContaining({ code: "tls-active" }));
    await client.startTls("client", trust);
    await first;
    await expect(client.startTls("client", trust)).rejects.toMatchObject({ code: "tls-active" });
    client.destroy();
    await expect(client.startTls("client", trust)).rejects.toThrow();
    await listener.close();
  });
});

describe("STARTTLS in the client's role", () => {
  it("destroys what a server, or somebody in between, put behind its go-ahead", async () => {
    await using listener = await serve(lineProtocol, async (line, peer) => {
      if (line.text !== "STARTTLS") return `you said ${line.text}`;
      peer.connection.write("220 go ahead\r\n250 INJECTED\r\nHALF");
      await peer.startTls("server", tls);
      return "250 in secret";
    });
    const heard: string[] = [];
    const connection = await connect({ port: listener.port });
    const reason = new Promise<CloseReason>((resolve) => connection.once("close", resolve));
    const done = Promise.withResolvers<void>();
    const peer = drive(connection, lineProtocol, async (line, self) => {
      heard.push(line.text);
      if (line.text === "220 go ahead") await self.startTls("client", trust);
      else done.resolve();
    });
    peer.send("STARTTLS");
    await done.promise;
    expect(heard).toEqual(["220 go ahead", "250 in secret"]);
    peer.close();
    expect((await reason).kind).toBe("local");
  });
});
