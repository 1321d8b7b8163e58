// How a server script tells the runner that it listens, and when it ends. Every script of this folder uses it.

/** Prints the port as the first line of standard output, and ends the process when standard input does. */
export function announce(port: number): void {
  console.log(JSON.stringify({ port }));
  process.stdin.on("end", () => process.exit()).resume();
}
