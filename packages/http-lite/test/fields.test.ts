// Fields as a handler reads them.
import { describe, expect, it } from "vitest";
import { HeaderMap } from "../src/index.ts";

const headers = HeaderMap.from([
  ["Accept", "a"],
  ["Set-Cookie", "x=1"],
  ["ACCEPT", "b"],
  ["set-cookie", "y=2"],
  ["Cookie", "p=1"],
  ["cookie", "q=2"],
  ["__proto__", "polluted"],
  ["constructor", "built"],
]);

describe("HeaderMap", () => {
  it("joins the lines of one name in order, without regard to case", () => {
    expect(headers.get("accept")).toBe("a, b");
    expect(headers.getAll("Accept")).toEqual(["a", "b"]);
  });

  it("never joins Set-Cookie, and joins Cookie by semicolons", () => {
    expect(headers.get("set-cookie")).toBe("x=1");
    expect(headers.getAll("set-cookie")).toEqual(["x=1", "y=2"]);
    expect(headers.get("cookie")).toBe("p=1; q=2");
  });

  it("takes __proto__ and constructor as ordinary names, and has nothing else of that kind", () => {
    expect(headers.get("__proto__")).toBe("polluted");
    expect(headers.get("constructor")).toBe("built");
    expect(headers.has("toString")).toBe(false);
    expect(headers.get("hasOwnProperty")).toBeUndefined();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("gives its lines in order: as received, or with names in lower case", () => {
    expect(headers.size).toBe(8);
    expect([...headers.lines()].slice(0, 3)).toEqual([
      ["Accept", "a"],
      ["Set-Cookie", "x=1"],
      ["ACCEPT", "b"],
    ]);
    expect([...headers].slice(2, 4)).toEqual([
      ["accept", "b"],
      ["set-cookie", "y=2"],
    ]);
  });

  it("can be given to what takes pairs", () => {
    expect(new Headers([...headers].filter(([name]) => name === "accept")).get("accept")).toBe("a, b");
  });
});
