// A server that a reader of the page can try: what the page shows while nothing has happened yet.

/** A running server and what to try on it. */
export interface Service {
  /** `"echo"`, `"http"`, `"smtp"`, … */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Where a client finds it: `http://127.0.0.1:8080/`. */
  readonly url?: string | undefined;
  /** A command for a shell: `curl -i http://127.0.0.1:8080/hello`. Default: `nc HOST PORT`. */
  readonly hint?: string | undefined;
}
