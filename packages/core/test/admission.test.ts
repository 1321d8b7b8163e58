import { once } from "node:events";
import { BlockList } from "node:net";
import { describe, expect, it } from "vitest";
import { connect, listen } from "../src/index.ts";
import type { Connection, Drop } from "../src/index.ts";
import { Admission } from "../src/admission.ts";
import type { AdmissionOptions } from "../src/admission.ts";
import { closed, rawClient, readAll } from "./support.ts";

function gate(options: AdmissionOptions): { admission: Admission; world: { time: number; free: number } } {
  const world = { time: 0, free: 1000 };
  const admission = new Admission(options, { now: () => world.time, freeDescriptors: () => world.free });
  return { admission, world };
}

describe("Admission", () => {
  it("counts connections, and frees a place when one goes", () => {
    const { admission } = gate({ maxConnections: 2 });
    expect(["a", "b", "c"].map((address) => admission.admit(address))).toEqual([
      "admit",
      "admit",
      "max-connections",
    ]);
    admission.release("a", false);
    expect(admission.admit("c")).toBe("admit");
  });

  it("counts by address, and an IPv6 address by its /64", () => {
    const { admission } = gate({ maxPerAddress: 1 });
    expect(admission.admit("192.0.2.1")).toBe("admit");
    expect(admission.admit("192.0.2.2")).toBe("admit");
    expect(admission.admit("::ffff:192.0.2.1")).toBe("max-per-address");
    expect(admission.admit("2001:db8::1")).toBe("admit");
    expect(admission.admit("2001:db8:0:0:ffff::2")).toBe("max-per-address");
    expect(admission.admit("2001:db8:0:1::1")).toBe("admit");
    admission.release("192.0.2.1", false);
    expect(admission.admit("192.0.2.1")).toBe("admit");
  });

  it("knows networks; deny goes before allow", () => {
    const { admission } = gate({ allow: ["192.0.2.0/24", "2001:db8::/32"], deny: ["192.0.2.66"] });
    const verdicts = ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.66", "198.51.100.1", "2001:db8::9", "::1"];
    expect(verdicts.map((address) => admission.admit(address))).toEqual([
      "admit",
      "admit",
      "denied",
      "denied",
      "admit",
      "denied",
    ]);
    const list = new BlockList();
    list.addAddress("192.0.2.1");
    expect(gate({ deny: list }).admission.admit("192.0.2.1")).toBe("denied");
  });

  it("lets a burst pass, and then so many a second", () => {
    const { admission, world } = gate({ rate: { perSecond: 2, burst: 3 } });
    const now = (): string => admission.admit("a");
    expect([now(), now(), now(), now()]).toEqual(["admit", "admit", "admit", "rate"]);
    world.time += 500;
    expect([now(), now()]).toEqual(["admit", "rate"]);
    world.time += 60_000;
    expect([now(), now(), now(), now()]).toEqual(["admit", "admit", "admit", "rate"]);
  });

  it("keeps descriptors free", () => {
    const { admission, world } = gate({ headroom: 10 });
    world.free = 9;
    expect(admission.admit("a")).toBe("descriptors");
    world.free = 10;
    expect(admission.admit("a")).toBe("admit");
  });

  it("holds what is over the limit, in bounds", () => {
    const { admission } = gate({ maxConnections: 1, overflow: "hold", maxHeld: 1 });
    expect([admission.admit("a"), admission.admit("b"), admission.admit("c")]).toEqual([
      "admit",
      "hold",
      "max-connections",
    ]);
    expect(admission.promote()).toBe(false);
    admission.release("a", false);
    expect(admission.promote()).toBe(true);
    expect(admission.promote()).toBe(false);
  });

  it.each([
    { maxConnections: 0 },
    { deny: ["192.0.2.0/99"] },
    { allow: ["nonsense"] },
    { rate: { perSecond: 0 } },
  ])("refuses %j", (options) => {
    expect(() => gate(options)).toThrow(expect.objectContaining({ code: "bad-option" }));
  });
});

describe("a listener", () => {
  it("tells a client that it turns away, in the protocol's words, and says so", async () => {
    await using listener = await listen({ maxConnections: 1, refusal: (reason) => `421 ${reason}\r\n` });
    const first = await connect({ port: listener.port });
    const dropped = once(listener, "drop") as Promise<[Drop]>;
    const second = await rawClient(listener.port);
    second.write("whatever it wants to say first");
    expect(await readAll(second)).toBe("421 max-connections\r\n");
    const [drop] = await dropped;
    expect(drop).toMatchObject({ reason: "max-connections", remote: { kind: "tcp", host: "127.0.0.1" } });
    second.destroy();
    first.end();
  });

  it("holds a client until another goes, and loses nothing that it sent meanwhile", async () => {
    await using listener = await listen({ maxConnections: 1, overflow: "hold" });
    listener.on("connection", (connection) => {
      connection.on("data", (chunk) => connection.write(`got ${String(chunk)}`));
    });
    const first = await connect({ port: listener.port });
    const second = await connect({ port: listener.port });
    second.write("patience");
    let early = false;
    second.once("data", () => (early = true));
    first.write("first");
    await once(first, "data");
    expect(early).toBe(false);
    const promoted = once(listener, "connection") as Promise<[Connection]>;
    first.end();
    const [chunk] = (await once(second, "data")) as [Buffer];
    expect(String(chunk)).toBe("got patience");
    await promoted;
    second.end();
    await closed(second);
  });

  it("passes the turn on when the client that was held has gone", async () => {
    await using listener = await listen({ maxConnections: 1, overflow: "hold" });
    const accepted = once(listener, "connection");
    const first = await connect({ port: listener.port });
    await accepted;
    const impatient = await rawClient(listener.port);
    const patient = await connect({ port: listener.port });
    impatient.resetAndDestroy();
    const heard = once(patient, "data");
    listener.on("connection", (connection) => connection.write("your turn"));
    first.end();
    expect(String((await heard)[0])).toBe("your turn");
    patient.end();
  });
});
