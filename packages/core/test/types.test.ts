// Misuse that does not compile. `tsc` is the judge: a line that compiles although it is marked is an error. The functions
// here are never called.
import { describe, expectTypeOf, it } from "vitest";
import { assertNever, connect, drive, lineProtocol, listen, open, reconnect, serve } from "../src/index.ts";
import type {
  Address,
  CloseReason,
  Connection,
  ConnectOptions,
  Drop,
  Handler,
  LineEvent,
  Listener,
  Peer,
  Protocol,
  ProxyEndpoints,
  ProxyHeader,
  Session,
  Span,
  TcpError,
} from "../src/index.ts";
import { expectEvents, pair, splitEvery } from "../src/testing/index.ts";

declare const connection: Connection;
declare const listener: Listener;

describe("events", () => {
  it("have their payloads in their types", () => {
    const _ = (): void => {
      connection.on("connect", (...none) => expectTypeOf(none).toEqualTypeOf<[]>());
      connection.on("data", (chunk) => expectTypeOf(chunk).toEqualTypeOf<Buffer>());
      connection.on("end", (...none) => expectTypeOf(none).toEqualTypeOf<[]>());
      connection.on("drain", (...none) => expectTypeOf(none).toEqualTypeOf<[]>());
      connection.on("timeout", (...none) => expectTypeOf(none).toEqualTypeOf<[]>());
      connection.on("error", (error) => expectTypeOf(error).toEqualTypeOf<TcpError>());
      connection.on("close", (reason) => expectTypeOf(reason).toEqualTypeOf<CloseReason>());
      listener.on("listening", (address) => expectTypeOf(address).toEqualTypeOf<Address>());
      listener.on("connection", (accepted) => expectTypeOf(accepted).toEqualTypeOf<Connection>());
      listener.on("drop", (drop) => expectTypeOf(drop).toEqualTypeOf<Drop>());
      listener.on("close", (...none) => expectTypeOf(none).toEqualTypeOf<[]>());
    };
  });

  it("are spelled right, and take what they give", () => {
    const _ = (): void => {
      // @ts-expect-error -- no such event
      connection.on("dara", () => {});
      // @ts-expect-error -- of a listener, not of a connection
      connection.on("connection", () => {});
      // @ts-expect-error -- of a socket, not of a connection
      listener.on("data", () => {});
      // @ts-expect-error -- a chunk is bytes, not text
      connection.on("data", (text: string) => text);
      // @ts-expect-error -- close comes with a reason, not with a boolean as in plain net
      connection.on("close", (hadError: boolean) => hadError);
      // @ts-expect-error -- an event with another payload
      connection.emit("close", true);
    };
  });
});

describe("a close reason", () => {
  it("is switched over completely, or does not compile", () => {
    const _ = (reason: CloseReason): string => {
      switch (reason.kind) {
        case "ended":
        case "local":
        case "aborted":
        case "protocol":
        case "reset":
          return reason.kind;
        default:
          // @ts-expect-error -- timeout is missing
          return assertNever(reason);
      }
    };
    const _complete = (reason: CloseReason): string => {
      switch (reason.kind) {
        case "ended":
        case "local":
        case "aborted":
        case "protocol":
        case "reset":
        case "timeout":
          return reason.kind;
        default:
          return assertNever(reason);
      }
    };
  });

  it("has a cause only where there is one", () => {
    const _ = (reason: CloseReason): void => {
      if (reason.kind === "reset") expectTypeOf(reason.cause).toEqualTypeOf<Error>();
      // @ts-expect-error -- an ending in good order has no cause
      if (reason.kind === "ended") void reason.cause;
      // @ts-expect-error -- no such kind
      connection.destroy({ kind: "finished" });
    };
  });
});

interface Sum extends Span {
  readonly type: "sum";
  readonly terms: readonly number[];
}
declare const sums: Protocol<Sum, number>;

describe("a handler", () => {
  it("gets the events of its protocol and answers with its replies, now or later", () => {
    const _ = async (): Promise<void> => {
      await serve(sums, (event, peer) => {
        expectTypeOf(event).toEqualTypeOf<Sum>();
        expectTypeOf(peer).toEqualTypeOf<Peer<number>>();
        return event.terms.length;
      });
      await serve(sums, async ({ terms }) => terms.length);
      await serve(sums, () => {});
      drive(connection, sums, ({ terms }, peer) => void peer.send(terms.length));
    };
  });

  it("answers with nothing else", () => {
    const _ = async (): Promise<void> => {
      // @ts-expect-error -- a number is wanted
      await serve(sums, () => "three");
      // @ts-expect-error -- also later
      await serve(sums, async () => "three");
      // @ts-expect-error -- and beside the events
      await serve(sums, (_event, peer) => void peer.send("three"));
      // @ts-expect-error -- an event of another protocol
      await serve(sums, (line: LineEvent) => line.text.length);
      // @ts-expect-error -- lines are answered by text
      drive(connection, lineProtocol, ({ text }) => text.length);
      // @ts-expect-error -- the event has no such field
      await serve(lineProtocol, (line) => line.body);
    };
    expectTypeOf<Handler<Sum, number>>().not.toExtend<Handler<LineEvent, string>>();
  });
});

describe("a protocol", () => {
  it("gives events with their places, from a whole session", () => {
    // @ts-expect-error -- an event without its span
    type _Event = Parameters<typeof serve<{ type: "sum" }, number>>;
    expectTypeOf<Session<Sum, number>>().not.toExtend<Session<LineEvent, string>>();
    const _ = async (): Promise<void> => {
      // @ts-expect-error -- a session is made for each connection, not shared by all
      await serve({ name: "sums", session: sums.session() }, () => 1);
    };
  });
});

describe("options", () => {
  it("are spelled right", () => {
    const _ = async (): Promise<void> => {
      // @ts-expect-error -- maxConnections
      await listen({ port: 0, maxConnection: 5 });
      // @ts-expect-error -- a number of milliseconds
      await listen({ idleTimeout: "5s" });
      // @ts-expect-error -- deadlines.idle
      await serve(lineProtocol, () => {}, { deadlines: { idel: 5 } });
      // @ts-expect-error -- a host
      await connect({ port: 1, hostname: "localhost" });
      // @ts-expect-error -- deadline
      await listener.close({ timeout: 5 });
      // @ts-expect-error -- text or bytes
      connection.write(5);
    };
  });
});

describe("TLS and the PROXY header of a client", () => {
  it("are for those that wait for the handshake", () => {
    const _ = async (options: ConnectOptions): Promise<void> => {
      await connect({ port: 1, tls: true });
      reconnect({ port: 1, tls: { servername: "one.test" } });
      // @ts-expect-error -- open() does not wait
      open({ port: 1, tls: true });
      // @ts-expect-error -- nor does it send a header
      open({ port: 1, proxyProtocol: "local" });
      // @ts-expect-error -- these may hold both
      open(options);
      // @ts-expect-error -- leave it out instead
      await connect({ port: 1, tls: false });
      // @ts-expect-error -- there is one deadline, that of connect()
      await connect({ port: 1, tls: { deadline: 5 } });
      // @ts-expect-error -- the server's role
      await connect({ port: 1, tls: { requestCert: true } });
    };
  });

  it("have a header that says one thing", () => {
    const _ = async (endpoints: ProxyEndpoints, header: ProxyHeader): Promise<void> => {
      await connect({ port: 1, proxyProtocol: { ...endpoints, version: 1 } });
      await connect({ port: 1, proxyProtocol: header });
      // @ts-expect-error -- half of it
      await connect({ port: 1, proxyProtocol: { source: endpoints.source } });
      // @ts-expect-error -- "local"
      await connect({ port: 1, proxyProtocol: "proxy" });
      // @ts-expect-error -- who is believed: a listener's
      await connect({ port: 1, proxyProtocol: { from: ["127.0.0.1"] } });
      // @ts-expect-error -- a command stands in a whole header, which has `endpoints`
      await connect({ port: 1, proxyProtocol: { ...endpoints, command: "local" } });
    };
  });
});

describe("the testing kit", () => {
  it("knows the names of events and faults", () => {
    const _ = async (): Promise<void> => {
      await expectEvents(connection, [
        "end",
        { close: (reason) => expectTypeOf(reason).toEqualTypeOf<CloseReason>() },
        { data: (chunk) => chunk.length > 0 },
      ]);
      // @ts-expect-error -- no such event
      await expectEvents(connection, ["ended"]);
      // @ts-expect-error -- no such event, with a test
      await expectEvents(connection, [{ ended: () => true }]);
      // @ts-expect-error -- a fault, not a number
      pair({ faults: 1 });
      // @ts-expect-error -- toServer
      pair({ faults: { toserver: splitEvery(1) } });
    };
  });
});
