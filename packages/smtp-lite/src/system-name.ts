// What this machine calls itself in SMTP, where a domain or an address is asked for (RFC 5321 section 2.3.5).
import { hostname } from "node:os";
import { isDomain } from "./domain.ts";

/** The system's host name, or a loopback address literal where that is no domain. */
export function systemName(): string {
  const name = hostname();
  return isDomain(name) ? name : "[127.0.0.1]";
}
