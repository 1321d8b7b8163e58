// The server of memory.test.ts, as a process of its own: it counts the bytes of a message and keeps none.
import { serveSmtp } from "../src/index.ts";

let size = 0;
const smtp = await serveSmtp(
  {
    async onMessage(_, body) {
      for await (const bytes of body) size += bytes.length;
    },
  },
  { limits: { messageSize: Infinity } },
);
process.send?.({ port: smtp.port });
process.on("message", () => {
  process.send?.({ size, peak: process.resourceUsage().maxRSS * 1024 });
  size = 0;
});
process.on("disconnect", () => process.exit());
