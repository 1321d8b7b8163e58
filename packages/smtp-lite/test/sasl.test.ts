// SASL: the RFCs' own exchanges, both sides against each other, and what an attacker may try.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { saslprep } from "../src/sasl/saslprep.ts";
import { clientKey, hmac, saltPassword, xor } from "../src/sasl/scram-keys.ts";
import {
  chooseMechanism,
  createSaslClient,
  checkSaslOptions,
  createSaslServer,
  createScramKeys,
  SASL_MECHANISMS,
} from "../src/sasl/index.ts";
import type {
  CramMd5Credentials,
  SaslClient,
  SaslClientOptions,
  SaslClientStep,
  SaslCredentials,
  SaslFailure,
  SaslIdentity,
  SaslMechanism,
  SaslSecret,
  SaslServer,
  ScramCredentials,
  ScramKeys,
  TokenCredentials,
  Verdict,
} from "../src/sasl/index.ts";

interface Vector {
  readonly name: string;
  readonly source: string;
  readonly mechanism: SaslMechanism;
  readonly username: string;
  readonly secret: string;
  readonly clientNonce?: string;
  readonly serverNonce?: string;
  readonly now?: number;
  readonly hostname?: string;
  readonly salt?: string;
  /** `S: ` a challenge, `C: ` a response. */
  readonly messages: readonly string[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../vectors/sasl.json", import.meta.url), "utf8"),
) as readonly Vector[];

type Hook = (credentials: SaslCredentials) => Verdict;

const PASSWORD_MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"] as const;

describe.each(vectors)("$name, the exchange of $source", (vector) => {
  test("goes over the wire as printed, on both sides", () => {
    const { hostname, clientNonce, serverNonce, now = 0 } = vector;
    const client = clientOf(vector.mechanism, vector.username, vector.secret, clientNonce);
    const server = createSaslServer(vector.mechanism, {
      hostname,
      now: () => now,
      ...(serverNonce === undefined ? {} : { nonce: () => serverNonce }),
    });
    const run = converse(client, server, (credentials) => {
      expect(credentials).toMatchObject({ mechanism: vector.mechanism, username: vector.username });
      switch (credentials.mechanism) {
        case "XOAUTH2":
          return credentials.token === vector.secret ? credentials.accept() : credentials.refuse();
        case "SCRAM-SHA-256":
          return credentials.checkKeys(
            createScramKeys(vector.secret, { salt: Buffer.from(vector.salt ?? "", "base64") }),
          );
        default:
          return credentials.check(vector.secret);
      }
    });
    expect(run.messages).toEqual(vector.messages);
    expect(run.outcome).toEqual({ mechanism: vector.mechanism, username: vector.username });
  });
});

describe("both sides together", () => {
  const usable = fc
    .string({ unit: fc.oneof(fc.string({ unit: "binary", maxLength: 1 }), fc.constantFrom(",", "=", " ")) })
    .filter((text) => saslprep(text) !== undefined);

  test.each(PASSWORD_MECHANISMS)("%s takes any user name and password that SASLprep does", (mechanism) => {
    fc.assert(
      fc.property(usable, usable, (username, password) => {
        const run = converse(
          clientOf(mechanism, username, password),
          createSaslServer(mechanism),
          checking(() => password),
        );
        const expected = mechanism === "CRAM-MD5" ? username : saslprep(username);
        expect(run.outcome).toEqual({ mechanism, username: expected });
      }),
      { numRuns: 30 },
    );
  });

  test.each(PASSWORD_MECHANISMS)("%s refuses a wrong password, and a user that there is not", (mechanism) => {
    fc.assert(
      fc.property(usable, usable, (username, password) => {
        fc.pre(saslprep(password) !== saslprep(`${password}x`));
        for (const known of [`${password}x`, undefined]) {
          const client = clientOf(mechanism, username, password);
          const run = converse(
            client,
            createSaslServer(mechanism),
            checking(() => known),
          );
          expect(run.outcome).toMatchObject({ type: "failure", code: "refused" });
        }
      }),
      { numRuns: 15 },
    );
  });

  test.each(["PLAIN", "LOGIN", "SCRAM-SHA-256"] as const)("%s is checked by stored keys", (mechanism) => {
    const keys = createScramKeys("pencil", { iterations: 5000 });
    const attempt = (password: string, known: ScramKeys | undefined): unknown =>
      converse(clientOf(mechanism, "ann", password), createSaslServer(mechanism), (credentials) =>
        "checkKeys" in credentials ? credentials.checkKeys(known) : credentials.refuse(),
      ).outcome;
    expect(attempt("pencil", keys)).toEqual({ mechanism, username: "ann" });
    expect(attempt("Pencil", keys)).toMatchObject({ code: "refused" });
    expect(attempt("pencil", undefined)).toMatchObject({ code: "refused" });
  });

  test.each(SASL_MECHANISMS)("%s: the owner may refuse without looking", (mechanism) => {
    const client = clientOf(mechanism, "ann", "secret");
    const run = converse(client, createSaslServer(mechanism), (credentials) => credentials.refuse());
    expect(run.outcome).toMatchObject({ type: "failure", code: "refused" });
  });

  test("XOAUTH2 tells the refusal as a challenge first, and the client answers with nothing", () => {
    const client = clientOf("XOAUTH2", "ann@example.com", "stale");
    const run = converse(client, createSaslServer("XOAUTH2"), (credentials) => credentials.refuse());
    expect(run.messages.slice(2)).toEqual([
      'S: {"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}',
      "C: ",
    ]);
  });
});

describe("a server", () => {
  test.each(SASL_MECHANISMS)("%s survives whatever is sent to it", (mechanism) => {
    fc.assert(
      fc.property(fc.array(messyMessage, { maxLength: 4 }), fc.boolean(), (messages, initial) => {
        const server = createSaslServer(mechanism);
        let step = server.step(initial ? undefined : messages.shift());
        for (const message of messages) {
          if (step.type === "verify") step = server.decide(checking(() => "right")(step.credentials));
          expect(step.type).not.toBe("success");
          if (step.type !== "challenge") return;
          step = server.step(message);
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each<[SaslMechanism, string]>([
    ["PLAIN", ""],
    ["PLAIN", "ann"],
    ["PLAIN", "ann\0secret"],
    ["PLAIN", "\0ann\0secret\0more"],
    ["CRAM-MD5", "an initial response"],
    ["SCRAM-SHA-256", "n,,n=ann"],
    ["SCRAM-SHA-256", "n,,n=an=n,r=abc"],
    ["SCRAM-SHA-256", "n,,n=,r=abc"],
    ["SCRAM-SHA-256", "n,,n=ann,r="],
    ["SCRAM-SHA-256", "x,,n=ann,r=abc"],
    ["SCRAM-SHA-256", "n,,m=must,n=ann,r=abc"],
    ["SCRAM-SHA-256", "n,,n=ann,r=a\u00fcc"],
    ["XOAUTH2", "user=ann\x01auth=Bearer \x01\x01"],
    ["XOAUTH2", "user=ann\x01auth=Basic abc\x01\x01"],
    ["XOAUTH2", "user=ann\x01auth=Bearer abc\x01"],
    ["XOAUTH2", "user=\x01auth=Bearer abc\x01\x01"],
  ])("%s calls %j malformed", (mechanism, text) => {
    expect(createSaslServer(mechanism).step(Buffer.from(text))).toMatchObject({ code: "malformed" });
  });

  test.each(["PLAIN", "LOGIN", "SCRAM-SHA-256", "XOAUTH2"] as const)(
    "%s takes no broken UTF-8",
    (mechanism) => {
      const step = createSaslServer(mechanism).step(Buffer.from("\0\xff\0secret", "latin1"));
      expect(step).toMatchObject({ code: "malformed" });
    },
  );

  test.each<[SaslMechanism, string]>([
    ["PLAIN", "\0\0secret"],
    ["PLAIN", "\0ann\0"],
    ["PLAIN", "\0a\u0007nn\0secret"],
    ["SCRAM-SHA-256", "n,,n=a\u0007nn,r=abc"],
  ])("%s refuses what SASLprep leaves nothing of, or prohibits: %j", (mechanism, text) => {
    expect(createSaslServer(mechanism).step(Buffer.from(text))).toMatchObject({ code: "refused" });
  });

  test.each<[SaslMechanism, string]>([
    ["PLAIN", "root\0ann\0secret"],
    ["SCRAM-SHA-256", "n,a=root,n=ann,r=abc"],
  ])("%s lets nobody act as somebody else: %j", (mechanism, text) => {
    expect(createSaslServer(mechanism).step(Buffer.from(text))).toMatchObject({ code: "refused" });
  });

  test.each<[SaslMechanism, string]>([
    ["PLAIN", "ann\0ann\0secret"],
    ["SCRAM-SHA-256", "n,a=ann,n=ann,r=abc"],
    ["SCRAM-SHA-256", "y,,n=ann,r=abc,x=ignored"],
  ])("%s takes %j", (mechanism, text) => {
    const step = createSaslServer(mechanism).step(Buffer.from(text));
    expect(step).toMatchObject({ type: "verify", credentials: { username: "ann" } });
  });

  test("takes no verdict but that of the credentials it gave", () => {
    const [one, other] = [createSaslServer("PLAIN"), createSaslServer("PLAIN")];
    const message = Buffer.from("\0ann\0secret");
    one.step(message);
    const verdict = checking(() => "secret")(credentialsOf(other.step(message)));
    expect(() => one.decide(verdict)).toThrow(expect.objectContaining({ code: "bad-argument" }));
    // What untyped code may return.
    for (const value of [true, undefined, {}, null]) {
      expect(() => one.decide(value as Verdict)).toThrow(expect.objectContaining({ code: "bad-argument" }));
    }
  });

  test("never sends the same CRAM-MD5 challenge twice", () => {
    const challenge = (): unknown => createSaslServer("CRAM-MD5").step(undefined);
    expect(challenge()).not.toEqual(challenge());
  });
});

describe("SCRAM's server", () => {
  const decoyKey = Buffer.alloc(32, 7);
  const first = (username: string, hook: Hook, key: Uint8Array = decoyKey): string => {
    const server = createSaslServer("SCRAM-SHA-256", { decoyKey: key, nonce: () => "xyz" });
    const step = server.step(Buffer.from(`n,,n=${username},r=abc`));
    const challenge = server.decide(hook(credentialsOf(step)));
    return challenge.type === "challenge" ? challenge.bytes.toString() : challenge.type;
  };

  test("answers for a user that there is not as for one that there is, and always the same", () => {
    const unknown = first(
      "ann",
      checking(() => undefined),
    );
    expect(unknown).toMatch(/^r=abcxyz,s=[A-Za-z0-9+/]{22}==,i=4096$/);
    expect(
      first(
        "ann",
        checking(() => undefined),
      ),
    ).toBe(unknown);
    expect(
      first(
        "ann",
        checking(() => "pencil"),
      ),
    ).toBe(unknown);
    const byKeys: Hook = (credentials) =>
      credentials.mechanism === "SCRAM-SHA-256" ? credentials.checkKeys(undefined) : credentials.refuse();
    expect(first("ann", byKeys)).toBe(unknown);
  });

  test("gives another salt to another name, and under another secret", () => {
    const nobody = checking(() => undefined);
    expect(first("bob", nobody)).not.toBe(first("ann", nobody));
    expect(first("ann", nobody, Buffer.alloc(32, 8))).not.toBe(first("ann", nobody));
  });

  test("refuses channel binding, which it did not offer", () => {
    const step = createSaslServer("SCRAM-SHA-256").step(Buffer.from("p=tls-exporter,,n=ann,r=abc"));
    expect(step).toMatchObject({ code: "refused" });
  });

  test.each<[string, (final: string) => string, SaslFailure["code"]]>([
    ["another nonce", (final) => final.replace("r=", "r=x"), "refused"],
    // "eSws" is "y,,": somebody on the way changed the flag.
    ["another header", (final) => final.replace("c=biws", "c=eSws"), "refused"],
    ["a proof of another length", (final) => final.replace(/p=.*/, "p=AAAA"), "malformed"],
    ["a proof that is not base64", (final) => final.replace("p=", "p=*"), "malformed"],
    ["no proof", (final) => final.replace(/,p=.*/, ""), "malformed"],
    ["an extension that the proof does not cover", (final) => final.replace(",p=", ",x=y,p="), "refused"],
  ])("does not take %s", (_, change, code) => {
    const client = clientOf("SCRAM-SHA-256", "ann", "pencil");
    const server = createSaslServer("SCRAM-SHA-256");
    const step = server.step(client.initialResponse);
    const challenge = server.decide(checking(() => "pencil")(credentialsOf(step)));
    const final = challenge.type === "challenge" ? client.step(challenge.bytes) : challenge;
    if (final.type !== "response") throw new Error("the exchange did not get that far");
    expect(server.step(Buffer.from(change(final.bytes.toString())))).toMatchObject({ type: "failure", code });
  });

  test.each<[string, string, string]>([
    ["a nonce of the client's own", "biws", "abc"],
    ["a nonce that is longer", "biws", "abcxyzx"],
    ["the header that it did not send", "eSws", "abcxyz"],
  ])("takes no proof over %s, though the password is right", (_, header, nonce) => {
    const keys = createScramKeys("pencil", { salt: Buffer.from("salt") });
    const server = createSaslServer("SCRAM-SHA-256", { nonce: () => "xyz" });
    const step = server.step(Buffer.from("n,,n=ann,r=abc"));
    const credentials = credentialsOf(step);
    if (credentials.mechanism !== "SCRAM-SHA-256") throw new Error(credentials.mechanism);
    server.decide(credentials.checkKeys(keys));
    const key = clientKey(saltPassword("pencil", keys.salt, keys.iterations));
    const finish = (withoutProof: string): unknown => {
      const auth = `n=ann,r=abc,r=abcxyz,s=${Buffer.from("salt").toString("base64")},i=4096,${withoutProof}`;
      const proof = xor(key, hmac(keys.storedKey, auth)).toString("base64");
      return server.step(Buffer.from(`${withoutProof},p=${proof}`));
    };
    expect(finish(`c=${header},r=${nonce}`)).toMatchObject({ code: "refused" });
    // The same sum over what was said is taken: it is not the sum that is wrong.
    expect(finish("c=biws,r=abcxyz")).toMatchObject({ type: "challenge" });
  });

  test("makes no keys of too few iterations, nor of a password that cannot be one", () => {
    for (const make of [
      () => createScramKeys("pencil", { iterations: 4095 }),
      () => createScramKeys(""),
      () => createScramKeys("bell\u0007"),
      () => checkSaslOptions({ iterations: 1 }),
      () => checkSaslOptions({ iterations: 2 ** 31 }),
      () => checkSaslOptions({ decoyKey: Buffer.alloc(31) }),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: "bad-argument" }));
    }
  });
});

describe("a client", () => {
  test.each(SASL_MECHANISMS)("%s survives whatever a server says", (mechanism) => {
    fc.assert(
      fc.property(fc.array(messyMessage, { maxLength: 4 }), (messages) => {
        const client = createClientWithLowBound(mechanism);
        for (const message of messages) if (client.step(message).type === "failure") return;
        if (mechanism === "SCRAM-SHA-256") expect(client.succeeded()).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });

  test.each<[string, string]>([
    ["a nonce that is not ours", "r=other,s=AAAA,i=4096"],
    ["our nonce and nothing of the server's", "r=abc,s=AAAA,i=4096"],
    ["too few iterations", "r=abcxyz,s=AAAA,i=4095"],
    ["too many iterations", "r=abcxyz,s=AAAA,i=1000000"],
    ["more iterations than there are", "r=abcxyz,s=AAAA,i=99999999999999999999"],
    ["an extension that must be understood", "m=must,r=abcxyz,s=AAAA,i=4096"],
    ["a salt that is not base64", "r=abcxyz,s=A,i=4096"],
    ["an error", "e=unknown-user"],
  ])("of SCRAM gives up at %s", (_, challenge) => {
    const client = clientOf("SCRAM-SHA-256", "ann", "pencil", "abc");
    expect(client.step(Buffer.from(challenge))).toMatchObject({ type: "failure" });
  });

  test.each<[string, string]>([
    ["does not know the password", `v=${Buffer.alloc(32).toString("base64")}`],
    ["sends a signature cut short", "v=AAAA"],
    ["says that it refuses", "e=invalid-proof"],
    ["says anything", "hello"],
  ])("of SCRAM does not believe a server that %s", (_, final) => {
    const client = clientOf("SCRAM-SHA-256", "ann", "pencil", "abc");
    expect(client.succeeded()).toMatchObject({ code: "refused" });
    expect(client.step(Buffer.from("r=abcxyz,s=AAAA,i=4096"))).toMatchObject({ type: "response" });
    expect(client.succeeded()).toMatchObject({ code: "refused" });
    expect(client.step(Buffer.from(final))).toMatchObject({ type: "failure" });
    expect(client.succeeded()).toMatchObject({ code: "refused" });
  });

  test("does not begin with what the mechanism cannot carry", () => {
    for (const make of [
      () => clientOf("PLAIN", "ann\0root", "secret"),
      () => clientOf("PLAIN", "ann", ""),
      () => clientOf("CRAM-MD5", "", "secret"),
      () => clientOf("XOAUTH2", "ann\x01", "token"),
      () => clientOf("XOAUTH2", "ann", "to ken"),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: "bad-argument" }));
    }
  });

  test("chooses the strongest that is offered, and tells no secret without TLS", () => {
    const password: SaslSecret = { username: "ann", password: "secret" };
    const token: SaslSecret = { username: "ann", token: "secret" };
    const all = ["login", "plain", "cram-md5", "scram-sha-256", "xoauth2", "GSSAPI"];
    expect(chooseMechanism(all, password, { tls: true })).toBe("SCRAM-SHA-256");
    expect(chooseMechanism(all, password, { tls: false })).toBe("SCRAM-SHA-256");
    expect(chooseMechanism(["LOGIN", "PLAIN"], password, { tls: true })).toBe("PLAIN");
    expect(chooseMechanism(["LOGIN", "PLAIN"], password, { tls: false })).toBeUndefined();
    expect(chooseMechanism(["LOGIN"], password, { tls: false, insecure: true })).toBe("LOGIN");
    expect(chooseMechanism(all, token, { tls: true })).toBe("XOAUTH2");
    expect(chooseMechanism(all, token, { tls: false })).toBeUndefined();
    expect(chooseMechanism(["XOAUTH2"], password, { tls: true })).toBeUndefined();
  });
});

describe("SASLprep", () => {
  // RFC 4013 section 3, and more.
  test.each<[string, string | undefined]>([
    ["I\u00adX", "IX"],
    ["user", "user"],
    ["USER", "USER"],
    ["\u00aa", "a"],
    ["\u2168", "IX"],
    ["\u0007", undefined],
    ["\u0627\u0031", undefined],
    ["\u06271\u0628", "\u06271\u0628"],
    ["\u0627a\u0628", undefined],
    ["a\u0627", undefined],
    ["\u05d0 - \u05d1", "\u05d0 - \u05d1"],
    ["a\u00a0b\u3000c", "a b c"],
    ["\u200d", undefined],
    ["\ud800", undefined],
    ["\ue000", undefined],
    ["\ufffe", undefined],
    ["", undefined],
  ])("%j becomes %j", (text, prepared) => {
    expect(saslprep(text)).toBe(prepared);
  });

  test("done twice is as done once", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const once = saslprep(text);
        if (once !== undefined) expect(saslprep(once)).toBe(once);
      }),
    );
  });
});

test("misuse does not compile", () => {
  // A hook that lets everybody in by forgetting to check, or by the answer of its own comparison.
  expectTypeOf<() => undefined>().not.toExtend<Hook>();
  expectTypeOf<() => boolean>().not.toExtend<Hook>();
  expectTypeOf<{}>().not.toExtend<Verdict>();
  // Each mechanism has what it has: no password to read in SCRAM, no keys that could check CRAM-MD5, nothing to compare a
  // token with.
  expectTypeOf<ScramCredentials>().not.toHaveProperty("password");
  expectTypeOf<ScramCredentials>().not.toHaveProperty("accept");
  expectTypeOf<CramMd5Credentials>().not.toHaveProperty("checkKeys");
  expectTypeOf<CramMd5Credentials>().not.toHaveProperty("accept");
  expectTypeOf<TokenCredentials>().not.toHaveProperty("check");
  expectTypeOf<Extract<SaslCredentials, { password: string }>["mechanism"]>().toEqualTypeOf<
    "PLAIN" | "LOGIN"
  >();
  const misuse = [
    // @ts-expect-error -- XOAUTH2 takes a token
    (): unknown => createSaslClient({ mechanism: "XOAUTH2", username: "ann", password: "secret" }),
    // @ts-expect-error -- PLAIN takes a password
    (): unknown => createSaslClient({ mechanism: "PLAIN", username: "ann", token: "secret" }),
    // @ts-expect-error -- there is no such mechanism
    (): unknown => createSaslServer("DIGEST-MD5"),
  ];
  expect(misuse).toHaveLength(3);
});

/** Bytes that may look like a message, or like anything. */
const messyMessage = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        "n,,",
        "n=",
        "r=",
        "abc",
        "s=",
        "AAAA",
        ",",
        "i=4096",
        "p=",
        "v=",
        "c=biws",
        "\0",
        "e=",
      ),
    )
    .map((parts) => Buffer.from(parts.join(""))),
);

function createClientWithLowBound(mechanism: SaslMechanism): SaslClient {
  if (mechanism === "XOAUTH2") return clientOf(mechanism, "ann", "secret");
  return createSaslClient({
    mechanism,
    username: "ann",
    password: "secret",
    nonce: () => "ab",
    maxIterations: 4096,
  });
}

function clientOf(mechanism: SaslMechanism, username: string, secret: string, nonce?: string): SaslClient {
  const options: SaslClientOptions =
    mechanism === "XOAUTH2"
      ? { mechanism, username, token: secret }
      : { mechanism, username, password: secret };
  return createSaslClient(nonce === undefined ? options : { ...options, nonce: () => nonce });
}

/** A hook as users write it: looks a password up, and has it checked. */
function checking(lookUp: (username: string) => string | undefined): Hook {
  return (credentials) =>
    credentials.mechanism === "XOAUTH2"
      ? credentials.refuse()
      : credentials.check(lookUp(credentials.username));
}

function credentialsOf(step: ReturnType<SaslServer["step"]>): SaslCredentials {
  if (step.type !== "verify") throw new Error(`no credentials but ${step.type}`);
  return step.credentials;
}

interface Run {
  readonly messages: readonly string[];
  readonly outcome: SaslIdentity | SaslFailure;
}

/** A whole exchange as SMTP does it when no initial response is sent. */
function converse(client: SaslClient, server: SaslServer, hook: Hook): Run {
  const messages: string[] = [];
  let unsent = client.initialResponse;
  let step = server.step(undefined);
  for (;;) {
    switch (step.type) {
      case "verify":
        step = server.decide(hook(step.credentials));
        break;
      case "challenge": {
        messages.push(`S: ${step.bytes.toString()}`);
        const response: SaslClientStep =
          unsent === undefined ? client.step(step.bytes) : { type: "response", bytes: unsent };
        unsent = undefined;
        if (response.type === "failure") return { messages, outcome: response };
        messages.push(`C: ${response.bytes.toString()}`);
        step = server.step(response.bytes);
        break;
      }
      case "success":
        return { messages, outcome: client.succeeded() ?? step.identity };
      case "failure":
        return { messages, outcome: step };
    }
  }
}
