// Node's TLS, which is loaded only where somebody encrypts: with all that belongs to it, it takes 4 MiB.

export function nodeTls(): typeof import("node:tls") {
  return process.getBuiltinModule("node:tls");
}
