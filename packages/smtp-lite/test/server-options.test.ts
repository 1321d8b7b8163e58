import { describe, expect, it } from "vitest";
import type { SmtpHooks, SmtpServerOptions } from "../src/index.ts";
import { serveSmtp } from "../src/index.ts";

const onMessage = (): void => undefined;
const hooks = { onMessage, onAuth: (() => undefined) as never };

describe("options that make no sense are refused at once, not by the first client", () => {
  it.each<[string, SmtpServerOptions]>([
    ["a host name that could break the Received line", { hostname: "a b" }],
    ["a greeting delay that is no number", { greetingDelay: NaN }],
    ["a negative one", { greetingDelay: -1 }],
    ["a deadline that is no number", { deadlines: { idle: NaN } }],
    ["no mechanisms", { mechanisms: [] }],
    ["an unknown mechanism", { mechanisms: ["plain" as never] }],
    ["fewer iterations than RFC 7677 wants", { sasl: { iterations: 100 } }],
    ["a short decoy key", { sasl: { decoyKey: Buffer.alloc(16) } }],
    ["a certificate that is none", { starttls: { key: "x", cert: "y" } }],
    ["requireTls without TLS", { requireTls: true }],
    ["requireAuth where AUTH is not offered", { requireAuth: true }],
    ["a bound too small for any message", { limits: { textLine: 1 } }],
    ["a bound that every client exceeds", { limits: { badCommands: 0 } }],
  ])("%s", async (_, options) => {
    await expect(serveSmtp(hooks, { port: 0, ...options })).rejects.toMatchObject({
      name: "SmtpError",
      code: "bad-argument",
      blame: "local",
    });
  });

  it.each<[string, unknown]>([
    ["no hooks", undefined],
    ["no onMessage", {}],
    ["a hook that is no function", { onMessage, onRcpt: "yes" }],
  ])("%s", async (_, given) => {
    await expect(serveSmtp(given as SmtpHooks)).rejects.toMatchObject({ code: "bad-argument" });
  });
});
