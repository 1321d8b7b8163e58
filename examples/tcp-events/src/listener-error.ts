// The chapter's listing of the server event `error`: listening on a port that is in use.
// True: no `close` follows, because nothing was opened. In plain `net` an `error` that nobody listens to ends the
// process; here it is always the rejection of `listen()`, and the event besides for whoever listens to it.
import { createListener, listen, TcpError } from "@tcpkit/core";

export async function main(print: (line: string) => void): Promise<void> {
  await using first = await listen();
  print("first server: listening");

  const second = createListener({ port: first.port });
  second.on("close", () => print("second server: close"));
  second.on("error", (error) =>
    print(`second server: error ${error.code}, the cause is ${codeOf(error.cause)}`),
  );
  try {
    await second.listen();
  } catch (error) {
    if (!(error instanceof TcpError)) throw error;
    print(`second server: ${error.message}`);
  }

  // The way out is the program's to choose: another port, another time, or a clear sentence and exit 1.
  await using third = await listen({ port: 0 });
  print(`third server: on another port, ${third.port !== first.port}`);
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
}

if (import.meta.main) await main(console.log);
