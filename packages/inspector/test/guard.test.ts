import { describe, expect, it } from "vitest";
import { refuse } from "../src/guard.ts";

const own = { method: "GET", host: "127.0.0.1:7070", origin: undefined, token: undefined };

describe("who may ask", () => {
  it.each([
    ["127.0.0.1:7070"],
    ["127.0.0.1"],
    ["localhost:7070"],
    ["LocalHost:7070"],
    ["wire.localhost:7070"],
    ["[::1]:7070"],
    ["192.168.0.7:7070"],
    ["devbox:7070"],
  ])("takes Host %s", (host) => {
    expect(refuse({ ...own, host }, "token", ["devbox"])).toBeUndefined();
  });

  it.each([
    ["evil.example"],
    ["evil.example:7070"],
    ["localhost.evil.example:7070"],
    ["127.0.0.1.evil.example:7070"],
    ["evillocalhost:7070"],
    ["[::1"],
    [""],
    [undefined],
  ])("answers Host %s by 421", (host) => {
    expect(refuse({ ...own, host }, "token", ["devbox"])).toMatchObject({ status: 421 });
  });

  it("takes its own origin", () => {
    expect(refuse({ ...own, origin: "http://127.0.0.1:7070" }, "token", [])).toBeUndefined();
  });

  it.each([
    ["http://evil.example"],
    ["https://127.0.0.1:7070"],
    ["http://127.0.0.1:8080"],
    ["http://localhost:7070"],
    ["null"],
    [""],
  ])("answers the origin %s by 403", (origin) => {
    expect(refuse({ ...own, origin }, "token", [])).toMatchObject({ status: 403 });
  });

  it("wants the token of this run for a command", () => {
    const post = { ...own, method: "POST" };
    expect(refuse({ ...post, token: "token" }, "token", [])).toBeUndefined();
    expect(refuse({ ...post, token: "another" }, "token", [])).toMatchObject({ status: 403 });
    expect(refuse(post, "token", [])).toMatchObject({ status: 403 });
  });
});
