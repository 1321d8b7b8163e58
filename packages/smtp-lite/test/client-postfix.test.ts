// The client towards a real Postfix, with a configuration, a queue and a spool of the test's own.
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectSmtp } from "../src/index.ts";
import { ca, identity } from "./certificates.ts";
import { run, withTool } from "./tools.ts";

const root = process.getuid?.() === 0;
if (!root) console.warn("SKIPPED: Postfix only runs as root");
const test = root ? withTool("postfix") : it.skip;

const SERVICES = `
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

let folder = "";
let port = 0;
let postfix: ChildProcess | undefined;
let exited: Promise<unknown> = Promise.resolve();
const log: string[] = [];
let onLine = (): void => undefined;

/** Resolves when the log has `count` lines with `text`. */
async function logged(text: string, count = 1): Promise<void> {
  while (log.filter((line) => line.includes(text)).length < count) {
    await new Promise<void>((resolve) => {
      onLine = resolve;
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function lines(settings: Readonly<Record<string, string>>, between: string): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}${between}${value}\n`)
    .join("");
}

describe("Postfix", () => {
  beforeAll(async () => {
    const installed = await run("which", ["postfix"]).catch(() => "");
    if (!root || installed === "") return;
    folder = mkdtempSync(join(tmpdir(), "smtp-lite-postfix-"));
    chmodSync(folder, 0o755);
    for (const name of ["conf", "conf/sasl", "queue", "data", "mail"]) mkdirSync(join(folder, name));
    const { stdout } = await promisify(execFile)("id", ["-u", "postfix"]);
    chownSync(join(folder, "data"), Number(stdout), 0);
    const users = join(folder, "data/sasldb");
    await run("saslpasswd2", ["-p", "-c", "-f", users, "-u", "one.test", "ann"], "sécret");
    chownSync(users, Number(stdout), 0);
    const sasl = { auxprop_plugin: "sasldb", sasldb_path: users, mech_list: "SCRAM-SHA-256" };
    writeFileSync(join(folder, "conf/sasl/users.conf"), lines(sasl, ": "));
    chownSync(join(folder, "mail"), 65_534, 65_534);
    const { key, cert } = identity("one.test");
    writeFileSync(join(folder, "key.pem"), key);
    writeFileSync(join(folder, "cert.pem"), cert);
    port = await freePort();
    const settings = {
      compatibility_level: "3.6",
      queue_directory: join(folder, "queue"),
      data_directory: join(folder, "data"),
      myhostname: "one.test",
      mydestination: "",
      inet_interfaces: "127.0.0.1",
      inet_protocols: "ipv4",
      alias_maps: "",
      local_recipient_maps: "",
      virtual_mailbox_domains: "box.test",
      virtual_mailbox_base: join(folder, "mail"),
      virtual_mailbox_maps: "inline:{ bob@box.test=bob/ }",
      virtual_uid_maps: "static:65534",
      virtual_gid_maps: "static:65534",
      smtpd_tls_cert_file: join(folder, "cert.pem"),
      smtpd_tls_key_file: join(folder, "key.pem"),
      smtpd_tls_security_level: "encrypt",
      smtpd_sasl_auth_enable: "yes",
      smtpd_sasl_path: "users",
      // Where Debian's looks in any case.
      cyrus_sasl_config_path: join(folder, "conf/sasl"),
      smtpd_relay_restrictions: "reject_unauth_destination",
      maillog_file: "/dev/stdout",
    };
    writeFileSync(join(folder, "conf/main.cf"), lines(settings, " = "));
    writeFileSync(join(folder, "conf/master.cf"), `127.0.0.1:${port} inet n - n - - smtpd${SERVICES}`);
    // Postfix opens /dev/stdout, which works for cat's pipe and not for the socket that Node gives its children.
    const conf = join(folder, "conf");
    const script = 'postfix -c "$0" start-fg | cat';
    postfix = spawn("sh", ["-c", script, conf], { stdio: ["ignore", "pipe", "inherit"] });
    exited = once(postfix, "exit");
    if (postfix.stdout === null) throw new Error("no log");
    createInterface(postfix.stdout).on("line", (line) => {
      log.push(line);
      onLine();
    });
    await logged("daemon started");
  });

  afterAll(async () => {
    if (postfix === undefined) return;
    try {
      await run("postfix", ["-c", join(folder, "conf"), "stop"]);
      await exited;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.each([false, true])(
    "takes mail by STARTTLS and delivers it byte for byte; chunking: %s",
    async (chunking) => {
      const before = log.filter((line) => line.includes("delivered to maildir")).length;
      const starttls = { ca, servername: "one.test", required: true };
      const client = await connectSmtp({ port, name: "client.example", starttls, chunking });
      expect(client.tls?.authorized).toBe(true);
      const header = `From: a@b.example\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nMessage-Id: <${chunking}@b.example>\n`;
      const text = `${header}\n.dot\n..\n.\n\nhéllo ${chunking}\n.end\n`;
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (const line of text.split(/(?<=\n)/))
          yield await Promise.resolve(Buffer.from(line.replace("\n", "\r\n")));
      }
      const mail = { from: "a@b.example", to: "bob@box.test", data: text } as const;
      const results = await Promise.allSettled([
        client.send(mail),
        client.send({ ...mail, to: ["nobody@box.test"] }),
        client.send({
          ...mail,
          to: ["nobody@box.test", { address: "bob@box.test", notify: [] }],
          envelopeId: "one",
        }),
        client.send({ ...mail, data: pieces() }),
      ]);
      await client.close();
      expect(results).toMatchObject([
        { value: { accepted: ["bob@box.test"], reply: { code: 250 } } },
        { reason: { code: "refused", reply: { code: 550, enhanced: "5.1.1" } } },
        {
          value: {
            accepted: ["bob@box.test"],
            refused: [{ address: "nobody@box.test", reply: { code: 550 } }],
          },
        },
        { value: { accepted: ["bob@box.test"] } },
      ]);
      await logged("delivered to maildir", before + 3);
      const box = join(folder, "mail/bob/new");
      const delivered = readdirSync(box).map((file) => readFileSync(join(box, file), "utf8"));
      // A file on disk has LF for its line endings, and Postfix's trace in front.
      const ours = delivered.filter((content) => content.includes(`<${chunking}@b.example>`));
      expect(ours).toHaveLength(3);
      for (const content of ours) expect(content.slice(content.indexOf("From: a@b"))).toBe(text);
    },
  );

  test("and we prove to each other that we know the password, by SCRAM-SHA-256 (Cyrus SASL)", async () => {
    const options = { port, starttls: { ca, servername: "one.test" } };
    const wrong = connectSmtp({ ...options, auth: { username: "ann", password: "other" } });
    await expect(wrong).rejects.toMatchObject({ code: "auth-failed", reply: { code: 535 } });
    const client = await connectSmtp({ ...options, auth: { username: "ann", password: "sécret" } });
    await client.send({ from: "a@b.example", to: "bob@box.test", data: "Subject: x\n\nx\n" });
    await client.close();
    await logged("sasl_method=SCRAM-SHA-256, sasl_username=ann");
  });
});
