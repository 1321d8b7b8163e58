// What of the conversation so far decides how a command is read. Types only.

export interface Dialect {
  /** The client said EHLO, so extensions are in force: parameters, and commands of their own. */
  readonly extended: boolean;
  /** The connection is encrypted. */
  readonly secure: boolean;
  /** It is LMTP that is spoken (RFC 2033): LHLO instead of EHLO and HELO. */
  readonly lmtp: boolean;
  /** The message under way is SMTPUTF8 (RFC 6531): recipients need not be ASCII. */
  readonly utf8: boolean;
}
