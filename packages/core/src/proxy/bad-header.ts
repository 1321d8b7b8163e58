// The one way in which a PROXY header is wrong.
import { TcpError } from "../errors.ts";

/** @internal The peer's header is no PROXY header; `offset` is where that shows. */
export function badHeader(what: string, offset: number): TcpError {
  return new TcpError("bad-proxy-header", `bad PROXY protocol header: ${what}, at offset ${offset}`, {
    blame: "remote",
    offset,
  });
}

/** @internal The header cannot be written. */
export function unwritable(what: string): TcpError {
  return new TcpError("bad-option", `no PROXY protocol header can say this: ${what}`);
}
