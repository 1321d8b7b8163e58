// The public face of SMTP-lite, in reading order: serve, what hooks see and say, then the engine beneath.
export { serveSmtp } from "./server.ts";
export type { SmtpServerOptions } from "./server-options.ts";
export type { SmtpHooks } from "./hooks.ts";
export type { Client, Envelope, Mail } from "./envelope.ts";
export type { ReverseLookup } from "./reverse-lookup.ts";
export { MailDirectory, openMailDirectory } from "./mail-directory.ts";
export { connectSmtp, sendMail, SmtpClient } from "./client.ts";
export type { SendMailOptions } from "./client.ts";
export type {
  SmtpClientDeadlines,
  SmtpClientOptions,
  SmtpCredentials,
  StartTlsOptions,
} from "./client-options.ts";
export type { Extensions } from "./client-opening.ts";
export type { OutgoingMail, OutgoingRecipient } from "./outgoing-mail.ts";
export type { RefusedRecipient, SendAttempt, SendMailResult } from "./send-result.ts";
export { createTestInbox } from "./test-inbox.ts";
export type { TestInbox, TestInboxOptions } from "./test-inbox.ts";
export type { NextMessage } from "./inbox-wanted.ts";
export type { InboxMessage } from "./inbox-message.ts";
export { decodeHeaderText } from "./header.ts";
export type { HeaderField, MessageHeader } from "./header.ts";
export { FaultPolicy } from "./fault-policy.ts";
export type { AppliedFault, FaultPolicyOptions } from "./fault-policy.ts";
export { greylist } from "./fault-rules.ts";
export type {
  AuthRule,
  ConnectRule,
  DataRule,
  EhloRule,
  EndFault,
  EndRule,
  Fault,
  FaultRule,
  FaultStage,
  MailRule,
  RcptRule,
} from "./fault-rules.ts";
export type { AddressPattern } from "./address-pattern.ts";
export { createScramKeys, SASL_MECHANISMS } from "./sasl/index.ts";
export type {
  CramMd5Credentials,
  PasswordCredentials,
  SaslCredentials,
  SaslIdentity,
  SaslMechanism,
  SaslServerOptions,
  ScramCredentials,
  ScramKeys,
  ScramKeysOptions,
  TokenCredentials,
  Verdict,
} from "./sasl/index.ts";
export { SmtpReply } from "./reply.ts";
export type { EnhancedFor, RefusalCode, Reply } from "./codes.ts";
export { SmtpError } from "./errors.ts";
export type { SmtpErrorCode, SmtpErrorOptions } from "./errors.ts";
export { DEFAULT_LIMITS } from "./limits.ts";
export type { SmtpLimits } from "./limits.ts";
export { formatPath, parsePath } from "./address.ts";
export type { AddressRole, Path } from "./address.ts";
export type { BodyType, DeliveryEvent, MailParameters, Recipient } from "./parameter-types.ts";
export { SmtpSession } from "./session.ts";
export type { SmtpEvents, SmtpRole, SmtpSends, SmtpSessionOptions } from "./session.ts";
export type { ServerSideOptions, SmtpEvent } from "./server-events.ts";
export type { ClientCommand, SmtpClientEvent } from "./client-side.ts";
export { stateAfter, transitions } from "./state.ts";
export type { Move, StateName, Transitions } from "./state.ts";
export { parseCommand } from "./command-parser.ts";
export { formatCommand } from "./wire.ts";
export type { Command, Received, ReceivedCommand } from "./wire.ts";
export type { Dialect } from "./dialect.ts";
export { replies } from "./replies.ts";
export { formatReply } from "./reply.ts";
export { DotDecoder, DotEncoder } from "./dot.ts";
export type { ContentProblem } from "./dot.ts";
export { describeEvent, describeReply } from "./describe.ts";
