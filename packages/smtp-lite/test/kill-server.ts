// The server of kill.test.ts, as a process of its own: it keeps mail in the folder that its argument names.
import { openMailDirectory, serveSmtp } from "../src/index.ts";

const mail = await openMailDirectory(process.argv[2] ?? "");
const smtp = await serveSmtp({ onMessage: (envelope, body) => mail.write(envelope, body) });
process.send?.(smtp.port);
// It goes with the test, whatever becomes of that.
process.on("disconnect", () => process.exit(1));
