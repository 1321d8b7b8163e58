// What SMTP and its extensions demand of a session, chapter by chapter, and where each demand is shown to be met: by the vectors
// whose `rfc` begins with one of its sections, and by tests where a dialogue cannot show it.

export interface Demand {
  /** A vector belongs to the first demand that lists the first section of its `rfc`. */
  readonly sections: readonly string[];
  /** Names of vectors that belong here whatever section they name: those of this package's policy name none. */
  readonly vectors?: readonly string[];
  readonly demand: string;
  /** Tests, as `file: name`; what a name takes from the test's code is written `…`. */
  readonly tests?: readonly string[];
}

export interface Chapter {
  readonly title: string;
  readonly demands: readonly Demand[];
}

export const DIALOGUES: readonly Chapter[] = [
  {
    title: "Lines and the end of a message",
    demands: [
      {
        sections: ["RFC 5321 §2.3.8"],
        demand:
          "Only CRLF ends a line. A bare LF, a bare CR or a NUL in a command ends the conversation, since nobody knows where the next command begins.",
        tests: ["crowd.test.ts: a line of %s that does not end is not kept, and others are served meanwhile"],
      },
      {
        sections: ["RFC 5321 §4.1.1.4"],
        vectors: ["a spoiled message is dropped up to its end"],
        demand:
          "Only CRLF.CRLF ends a message, however TCP cuts it. One with a bare CR or LF is read to its real end and then refused, so that no second message hides inside (SMTP smuggling). With the option `normalize` a bare LF becomes CRLF in content, and is no end either.",
        tests: [
          "dot.test.ts: only CRLF.CRLF ends a message, whatever the bytes, the longest line and the cuts",
          "dot.test.ts: with normalize a bare LF becomes CRLF, never an end, however it is cut; a bare CR is refused still",
          "server.test.ts: bare CR or LF in content: read to the real end, then 550 5.5.2; the hidden message is not seen",
          "server.test.ts: normalize: LF is taken for CRLF, and is no end",
          "dropped.test.ts: content that is dropped gets its refusal at its real end, however long it takes to come",
        ],
      },
      {
        sections: ["RFC 5321 §4.5.2"],
        demand: "One dot comes off at the start of a line, and a line starts behind CRLF alone.",
        tests: [
          "dot.test.ts: decoding undoes encoding, however either is cut, and stops right behind the end",
          "dot.test.ts: the encoder refuses a CR or LF that is not part of CRLF, across pieces too (section 2.3.8)",
        ],
      },
      {
        sections: ["RFC 5321 §4.5.3.1.4", "RFC 5321 §4.5.3.1.5"],
        demand:
          "A command of 512 bytes is taken, CRLF counted; MAIL and RCPT may be longer by what their parameters need. A longer one is dropped as it comes. No reply is longer, whatever it repeats of a command.",
      },
      {
        sections: ["RFC 5321 §4.5.3.1.6"],
        demand:
          "A line of content may have 1000 bytes. A message with a longer one is read to its real end and refused. `limits.textLine` moves the limit.",
      },
    ],
  },
  {
    title: "Order and replies",
    demands: [
      {
        sections: ["RFC 5321 §3.1", "RFC 5321 §4.3.1"],
        vectors: [
          "an HTTP request",
          "an HTTP request whose target is longer than a command",
          "an HTTP request whose target is longer than any line",
        ],
        demand:
          "The greeting is 220, 554 or 421. Behind 554 only QUIT is answered. Bytes before the greeting, or before 354, are 554 5.5.0 and close; a request of HTTP is 421 and close.",
        tests: [
          "dialogues.test.ts: %s: 554 5.5.0, and nothing more is read (RFC 5321 section 4.3.1)",
          "dialogues.test.ts: a greeting is 220, 554 or 421 (RFC 5321 section 3.1)",
          "dialogues.test.ts: 554 as greeting leaves QUIT only (RFC 5321 section 3.1)",
          "server.test.ts: bytes before a slow greeting: 554 5.5.0 and close",
          "server.test.ts: turns a client away in words, with %j",
        ],
      },
      {
        sections: ["RFC 5321 §4.1.4"],
        demand:
          "MAIL comes behind EHLO or HELO, and not inside a message. EHLO ends a message under way. Out of order is 503 5.5.1, whatever else is wrong.",
      },
      {
        sections: ["RFC 5321 §3.3", "RFC 5321 §D.1"],
        demand:
          "MAIL, RCPT, DATA, in this order: never a 354 without a recipient. The address stands right behind the colon, in angle brackets.",
        tests: ["server.test.ts: is forgotten after any outcome: the next command is MAIL"],
      },
      {
        sections: ["RFC 5321 §4.1.1.1"],
        demand: "EHLO and HELO name a host, in one word.",
      },
      {
        sections: ["RFC 5321 §4.1.1", "RFC 5321 §2.4", "RFC 5321 §4.1.1.5", "RFC 5321 §4.1.1.10"],
        vectors: ["arguments where none belong"],
        demand:
          "Commands may be in any case, with spaces and tabs behind them. DATA, RSET and QUIT take no argument. RSET forgets the message and nothing else. Behind QUIT nothing is read.",
      },
      {
        sections: ["RFC 5321 §3.5", "RFC 5321 §4.1.1.6", "RFC 5321 §4.1.1.9"],
        demand: "VRFY is 252 and EXPN 502, with an argument. HELP is 214 and NOOP 250, with one or without.",
      },
      {
        sections: ["RFC 5321 §4.2.4"],
        vectors: ["the tenth bad command ends it"],
        demand:
          "An unknown command is 500, one that is known and not offered 502. The tenth bad command is 421 and close; a wrong order is none.",
      },
      {
        sections: ["RFC 2920 §3.1", "RFC 2920 §3.2"],
        demand:
          "Pipelined commands are answered in their order, and none is dropped, however slow the hooks are.",
        tests: [
          "server.test.ts: a pipelined group is answered in order, slow hooks and all (RFC 2920 section 3.2)",
        ],
      },
      {
        sections: ["RFC 2034 §4", "RFC 5321 §4.2"],
        demand:
          "Every 2xx, 4xx and 5xx has an enhanced code of its class, but greetings and what is said to EHLO and HELO. All lines of a reply have one code.",
        tests: [
          "dialogues.test.ts: every 2xx, 4xx and 5xx has an enhanced code of its class, but greeting and EHLO (RFC 2034 section 4)",
          "reply.test.ts: parsing undoes formatting, with several lines and enhanced codes",
          "reply.test.ts: no text gets a line of its own, and no class differs from its code",
        ],
      },
    ],
  },
  {
    title: "Addresses and parameters",
    demands: [
      {
        sections: ["RFC 5321 §4.1.2", "RFC 5321 §4.5.3.1.1", "RFC 5321 §4.5.3.1.2", "RFC 5321 §4.5.3.1.3"],
        demand:
          "Quoted local parts and address literals are taken. A source route is taken and ignored. 64 bytes before the `@`, 255 behind it, 256 in all with brackets. A bad sender is 5.1.7, a bad recipient 5.1.3, UTF-8 without SMTPUTF8 5.6.7. Below, `l{64}` stands for 64 times `l`.",
        tests: [
          "address.test.ts: whatever ASCII a local part is made of, it comes back",
          "address.test.ts: any text is a path or a refusal with a reply, and a path formats to the same path",
        ],
      },
      {
        sections: ["RFC 5321 §4.5.5", "RFC 5321 §4.1.1.3"],
        demand: "The sender may be `<>`, a recipient `<Postmaster>` alone.",
      },
      {
        sections: ["RFC 5321 §4.1.1.11"],
        demand: "A parameter that was not offered is 555 5.5.4, a bad or repeated one 501 5.5.4.",
      },
      {
        sections: ["RFC 5321 §2.2.1"],
        demand: "Extensions are in force behind EHLO, and not behind HELO.",
      },
      {
        sections: ["RFC 5321 §4.5.3.1.8", "RFC 5321 §4.5.3.1.10"],
        demand: "A message has at least 100 recipients. Beyond the limit each is 452 4.5.3.",
        tests: [
          "server.test.ts: 100 recipients are taken, the 101st gets 452 4.5.3 (RFC 5321 section 4.5.3.1.10)",
        ],
      },
    ],
  },
  {
    title: "Extensions",
    demands: [
      {
        sections: ["RFC 5321 §4.1.1.1", "RFC 9422 §4"],
        demand: "EHLO offers what there is, and LIMITS names only bounds that are kept.",
        tests: [
          "server.test.ts: EHLO announces what is offered",
          "parameters.test.ts: tells its limits, and keeps to them (RFC 9422)",
          "limits.test.ts: %j are announced by numbers, and only where they bound (RFC 1870, RFC 9422)",
        ],
      },
      {
        sections: ["RFC 1870 §3", "RFC 1870 §6.1", "RFC 1870 §6.3"],
        demand:
          "SIZE: a message that is declared too big is 552 5.3.4 at MAIL, one that turns out so is read to its end and then refused.",
        tests: [
          "server.test.ts: SIZE over the limit: 552 5.3.4 at MAIL, and after the content where nothing was declared",
          "dialogues.test.ts: a message over the limit is read to its end, then refused (RFC 1870 section 6.3)",
        ],
      },
      { sections: ["RFC 6152 §3"], demand: "8BITMIME: content stays as it is, byte for byte." },
      {
        sections: ["RFC 3030 §2", "RFC 3030 §3", "RFC 3030 §4.2"],
        vectors: [
          "BDAT without a size: where the next command begins cannot be known",
          "BDAT with a size that cannot be counted",
          "BDAT with a word that is not LAST",
        ],
        demand:
          "CHUNKING and BINARYMIME: exactly the octets that were announced are read, even of a chunk that is refused, and no dot comes off. Each chunk has its reply. DATA does not go with BDAT, nor with BINARYMIME. Without a size that can be read, the next command cannot be found: 501 and close.",
        tests: [
          "chunking.test.ts: delivers exact octets, whatever they are and however they are cut; 250 a chunk, all pipelined",
          "chunking.test.ts: over the limit: 552 5.3.4 for that chunk and 503 for the rest, and not an octet of them is a command",
        ],
      },
      {
        sections: ["RFC 6531 §3.3", "RFC 6531 §3.5"],
        demand: "SMTPUTF8: an address in UTF-8 needs it, at MAIL, and is 553 5.6.7 without.",
      },
      {
        sections: ["RFC 3461 §4.1", "RFC 3461 §4.2", "RFC 3461 §4.3", "RFC 6533 §3"],
        demand:
          "DSN: NEVER stands alone. xtext is decoded, and no control character is taken in it. ORCPT may be UTF-8.",
        tests: ["parameters.test.ts: passes on what MAIL and RCPT say"],
      },
      {
        sections: ["RFC 8689 §2"],
        demand: "REQUIRETLS is offered and taken under TLS only.",
        tests: ["parameters.test.ts: offers REQUIRETLS under TLS only (RFC 8689 section 2)"],
      },
      {
        sections: ["RFC 2033 §4.1", "RFC 2033 §4.2"],
        demand:
          "LMTP: LHLO takes the place of EHLO and HELO. Each recipient that was accepted has a reply of its own to the message.",
        tests: [
          "lmtp.test.ts: LHLO takes the place of EHLO and HELO, which are unknown (section 4.1)",
          "lmtp.test.ts: and SMTP does not know LHLO",
          "lmtp.test.ts: one reply for each recipient that was accepted, in order (section 4.2)",
          "lmtp.test.ts: by BDAT too: one a chunk, and for each recipient after the last",
        ],
      },
    ],
  },
  {
    title: "TLS and AUTH",
    demands: [
      {
        sections: ["RFC 3207 §4", "RFC 3207 §4.1", "RFC 3207 §4.2"],
        demand:
          "STARTTLS takes no argument, comes once and not inside a message. Behind it EHLO and AUTH are forgotten. Without a certificate it is 454. Where TLS is required, all else is 530 5.7.0 before it.",
        tests: [
          "starttls.test.ts: encrypts, forgets EHLO, and is not offered again; the message came by ESMTPS (RFC 3848)",
          "starttls.test.ts: is neither offered nor given without a certificate: 454 4.7.0",
          "starttls.test.ts: with requireTls, everything but EHLO, NOOP, STARTTLS and QUIT gets 530 5.7.0 before it",
        ],
      },
      {
        sections: ["RFC 3207 §6"],
        demand:
          "Plain text behind STARTTLS is destroyed, half a line too, and never taken for what came encrypted (CVE-2021-38371 and its like).",
        tests: [
          "starttls.test.ts: by the engine, wherever it is cut, and half a line too",
          "starttls.test.ts: by the server, in one segment, and cut in two: it is destroyed, or spoils the handshake",
          "starttls.test.ts: by the server, byte by byte",
        ],
      },
      {
        sections: ["RFC 4954 §4", "RFC 4954 §6"],
        vectors: ["the tenth wrong password ends it"],
        demand:
          "AUTH succeeds once, outside a message. `*` or what is no base64 is 501, an unknown mechanism 504 5.5.4, a wrong password 535 5.7.8, a failure of ours 454 4.7.0. Before TLS it is neither offered nor taken (538 5.7.11), unless a program allows it. Where AUTH is required, mail is 530 5.7.0 without. A line may have 12,288 bytes. A wrong password is a bad command: the tenth is 421.",
        tests: [
          "auth.test.ts: unknown mechanism 504 5.5.4, wrong password 535 5.7.8, no message of the mechanism 501",
          "auth.test.ts: onAuth that fails: 454 4.7.0 and a report; what it says itself is said",
          "auth.test.ts: is not offered before TLS, and refused there: 538 5.7.11",
          "auth.test.ts: with requireAuth all commands of mail get 530, in a pipeline too, before AUTH and after a wrong one",
          "auth.test.ts: a line of 12,288 bytes is taken, a longer one gets 500 (section 4)",
          "auth.test.ts: leaves no secret in the event log's words, and says where in the bytes there are some",
        ],
      },
      {
        sections: ["RFC 4954 §5"],
        demand: "MAIL takes AUTH, with a mailbox in xtext or `<>`.",
      },
      {
        sections: ["RFC 4616 §2", "RFC 2195 §2", "RFC 5802 §5", "RFC 7677 §3"],
        demand:
          "PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256 and XOAUTH2 go as their documents print them, on both sides. User names and passwords are prepared (RFC 4013). Who asks for a user that there is not, does not learn it.",
        tests: [
          "sasl.test.ts: goes over the wire as printed, on both sides",
          "sasl.test.ts: %s refuses a wrong password, and a user that there is not",
          "sasl.test.ts: answers for a user that there is not as for one that there is, and always the same",
          "sasl.test.ts: takes no proof over %s, though the password is right",
          "sasl.test.ts: %s survives whatever is sent to it",
        ],
      },
    ],
  },
];
