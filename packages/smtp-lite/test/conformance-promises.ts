// What is demanded beyond dialogues: what a 250 promises, time and memory, the client, programs of others. No vectors here,
// but tests alone.
import type { Chapter } from "./conformance-demands.ts";

export const PROMISES: readonly Chapter[] = [
  {
    title: "What 250 promises",
    demands: [
      {
        sections: ["RFC 5321 §6.1"],
        demand:
          "250 comes when `onMessage` has kept the message, and not before; when it fails, 451 4.3.0. What a mail directory has taken survives the process that took it, and the loss of power. A full disk is 452 4.3.1.",
        tests: [
          "server.test.ts: reaches onMessage with its envelope and content, and the 250 comes after onMessage has kept it",
          "server.test.ts: onMessage that fails: 451 4.3.0, the reason to onError and not to the client",
          "kill.test.ts: killed … times, a server has lost nothing that it said 250 to, and shows no half message",
          "journal.test.ts: a round is content, then one write and one sync of the journal, then names: none stands for what is not safe",
          "journal.test.ts: a sync of the journal that fails refuses its round; no record goes behind it, and the next round is kept",
          "journal-recovery.test.ts: after a power failure every message is there, byte for byte, and what was right stays; twice gives the same",
          "journal-recovery.test.ts: no bit that flips, anywhere in a journal, makes a wrong message",
          "store.test.ts: the client hears 452 4.3.1, nothing stays, and once there is room mail goes through",
        ],
      },
      {
        sections: ["RFC 5321 §4.1.1.4"],
        demand: "A client that goes before the end of its message delivers nothing.",
        tests: [
          "server.test.ts: a client that goes before the final dot delivers nothing: the body fails",
          "chunking.test.ts: %s between two chunks: the body fails, nothing is delivered",
          "store.test.ts: a body that fails leaves nothing behind",
        ],
      },
      {
        sections: ["RFC 5321 §4.4", "RFC 5321 §7.2"],
        demand:
          "A `Received` line is put before the message, and a `Return-Path` where it is delivered. Recipients do not hear of each other by it.",
        tests: [
          "received.test.ts: says from, by, with, id, for and when",
          "received.test.ts: does not tell one recipient of another (section 7.2)",
          "store.test.ts: writes trace and content, byte for byte, under one name, for the owner alone",
        ],
      },
      {
        sections: ["RFC 5321 §6.3"],
        demand: "A message with 100 `Received` lines in its header loops: 554 5.4.6.",
        tests: [
          "server.test.ts: 100 Received lines are a loop: 554 5.4.6 (RFC 5321 section 6.3); 99 are not, nor any in the body",
          "received.test.ts: takes in the header only, in any case, however it is cut",
        ],
      },
    ],
  },
  {
    title: "Time, shutdown, memory",
    demands: [
      {
        sections: ["RFC 5321 §4.5.3.2.7"],
        demand:
          "A client may be idle for five minutes; then it hears 421 4.4.2. A message has to come at 100 bytes a second, after its first minute. Time that the program needs is not the client's.",
        tests: [
          "dialogues.test.ts: a timeout is answered by 421, wherever it comes",
          "server.test.ts: an idle client gets 421 4.4.2 after 5 minutes (RFC 5321 section 4.5.3.2.7)",
          "server.test.ts: a client that stops inside %s gets 421 4.4.2 after 3 minutes",
          "server.test.ts: a client that drips a message gets 421 4.4.2 when its first minute is over (limits.dataRate)",
          "server.test.ts: time that onMessage needs is no fault of the client's",
        ],
      },
      {
        sections: ["RFC 5321 §3.8"],
        demand: "A server that goes down lets a message under way arrive, and says 421 4.3.2 to everybody.",
        tests: [
          "dialogues.test.ts: a shutdown waits for the end of a message under way, then says 421 (RFC 5321 section 3.8)",
          "server.test.ts: closing lets a message under way arrive, then says 421 4.3.2 to everybody",
          "chunking.test.ts: a message under way by chunks may still arrive whole when the server goes down",
        ],
      },
      {
        sections: ["RFC 5321 §7.8"],
        demand:
          "Memory is bounded, whatever comes and however slowly. What comes breaks nothing, wherever TCP cuts it.",
        tests: [
          "dialogues.test.ts: whatever comes, it neither throws nor depends on where TCP cuts, and each event has one reply",
          "server.test.ts: a slow consumer holds the client back: what is in flight stays bounded",
          "memory.test.ts: a message of 1 GiB goes through",
          "crowd.test.ts: a client is served among … that are slow",
        ],
      },
    ],
  },
  {
    title: "Who the client is",
    demands: [
      {
        sections: ["PROXY protocol"],
        demand: "A trusted proxy may say who the client is, by version 1 or 2. Nobody else may.",
        tests: [
          "proxy.test.ts: is a bad command from anybody else, who stays who he is",
          "proxy.test.ts: in version 2, which is no text, ends the connection of anybody else",
        ],
      },
      {
        sections: ["RFC 5321 §4.4", "RFC 8601 §2.7.3"],
        demand: "No DNS is asked by default. As an option, a name counts where it leads back to the address.",
        tests: [
          "reverse-lookup.test.ts: is off: nobody asks DNS",
          "reverse-lookup.test.ts: counts where it leads back to the address (RFC 8601 section 2.7.3)",
        ],
      },
    ],
  },
  {
    title: "The client",
    demands: [
      {
        sections: ["RFC 5321 §2.3.8"],
        demand: "No CR or LF in any argument leaves: one command is one line, or nothing.",
        tests: [
          "client.test.ts: no address and no name carries a command of its own",
          "client.test.ts: whatever stands in a command, one line leaves or none",
          "client-queue.test.ts: whatever stands in it, the server hears one message or none",
          "client.test.ts: bytes with a bare CR or LF are not sent as a message",
        ],
      },
      {
        sections: ["RFC 2920 §3.1", "RFC 5321 §4.1.4"],
        demand:
          "Many messages go over one connection, pipelined where that is offered. What becomes of one does not touch the others, and each knows whether the server may have it.",
        tests: [
          "client-queue.test.ts: the next one's commands leave right behind the last one's dot (RFC 2920)",
          "client-queue.test.ts: whatever becomes of some, the others arrive as if alone",
          "client-queue.test.ts: a server that %s fails those that have no 250 yet, and no others",
          "client.test.ts: goes step by step, by HELO, where the server offers nothing",
          "client-close.test.ts: say yes where their first digit does: %s, %s",
        ],
      },
      {
        sections: ["RFC 5321 §4.5.3.2"],
        demand: "It waits five minutes for a reply, and ten for the one to the end of a message.",
        tests: [
          "client-patience.test.ts: for the reply to %s is long, and ends",
          "client-patience.test.ts: for the reply to the end of a message is ten minutes",
          "client-patience.test.ts: does not run while the server takes what we send",
        ],
      },
      {
        sections: ["RFC 3207 §4", "RFC 4954 §4"],
        demand:
          "STARTTLS is done where it is offered, with the certificate verified, and what came before it is not believed. No password leaves without TLS, unless told so.",
        tests: [
          "client-security.test.ts: is done where it is offered, with the certificate verified, and EHLO follows again",
          "client-security.test.ts: required, it is not done without: not offered, refused",
          "client-security.test.ts: takes the best mechanism that both sides have",
          "client-security.test.ts: without TLS nothing of it leaves, unless told so",
          "client-security.test.ts: a server that says yes without proof of its own is not believed (SCRAM)",
        ],
      },
      {
        sections: ["RFC 3030 §2", "RFC 3461 §4", "RFC 6531 §3.1"],
        demand: "CHUNKING, BINARYMIME, SMTPUTF8, DSN and LMTP are spoken where the server offers them.",
        tests: [
          "client-queue.test.ts: CHUNKING: the same bytes arrive, by BDAT, whole and as a stream, with dots and 8 bits",
          "client-queue.test.ts: BINARYMIME: any bytes",
          "client-queue.test.ts: SMTPUTF8, DSN and SIZE get to the server",
          "client-queue.test.ts: LMTP: each recipient has a verdict of its own",
        ],
      },
    ],
  },
  {
    title: "Programs of others",
    demands: [
      {
        sections: ["Clients that send to our server"],
        demand: "swaks, curl, Python, msmtp, s-nail, mutt, Postfix, emailjs, nodemailer, openssl.",
        tests: [
          "clients.test.ts: swaks…",
          "clients.test.ts: curl",
          "clients.test.ts: Python's smtplib",
          "clients.test.ts: msmtp",
          "clients.test.ts: s-nail",
          "clients.test.ts: mutt",
          "clients.test.ts: Postfix smtp-source: 200 messages on 8 connections, and one on each of 20",
          "clients.test.ts: emailjs, two messages on one connection; a text without CRLF it sends as it is, to be refused",
          "clients.test.ts: nodemailer, an attachment and a pool",
          "starttls.test.ts: openssl s_client -starttls smtp",
          "starttls.test.ts: swaks -tls",
          "auth.test.ts: swaks --auth …",
          "auth.test.ts: curl --login-options AUTH=…",
          "auth.test.ts: Python's smtplib: starttls, login",
          "auth.test.ts: msmtp --tls --auth=…",
          "auth.test.ts: nodemailer, …",
          "lmtp.test.ts: swaks --protocol LMTP",
          "lmtp.test.ts: Python's smtplib.LMTP",
        ],
      },
      {
        sections: ["Servers that take from our client"],
        demand: "Postfix, with Cyrus SASL; its smtp-sink, which goes wrong on purpose; npm's smtp-server.",
        tests: [
          "client-postfix.test.ts: takes mail by STARTTLS and delivers it byte for byte; chunking: %s",
          "client-postfix.test.ts: and we prove to each other that we know the password, by SCRAM-SHA-256 (Cyrus SASL)",
          "client-sink.test.ts: smtp-sink",
          "client-sink.test.ts: 500 messages on one connection, and when it ends in the middle, each knows",
          "client-foreign.test.ts: takes mail behind STARTTLS and AUTH %s",
          "client-foreign.test.ts: hears of no message that is larger than it says to take",
        ],
      },
    ],
  },
  {
    title: "For programs that use it",
    demands: [
      {
        sections: ["Types"],
        demand: "What must not be does not compile.",
        tests: [
          "reply.test.ts: the enhanced code has the class of the reply code",
          "reply.test.ts: no RCPT without its MAIL, no message without a recipient",
          "auth.test.ts: a hook that forgets to check does not compile",
        ],
      },
      {
        sections: ["Test inbox"],
        demand: "A test waits for the message it means, without polling.",
        tests: [
          "test-inbox.test.ts: is told of a message that comes later",
          "test-inbox.test.ts: chooses by recipient, sender and subject, all of them",
          "test-inbox.test.ts: takes nothing that came before a cursor",
        ],
      },
      {
        sections: ["Faults"],
        demand: "A server goes wrong on purpose: where, when and to whom it is told, and again the same way.",
        tests: [
          "fault-policy.test.ts: refuses the first attempt of sender and recipient, and takes the next",
          "fault-policy.test.ts: after the final dot loses the 250 of a message that was taken: it comes twice",
          "fault-policy.test.ts: is lost between the bytes of a dripping reply",
          "fault-policy.test.ts: with a probability does the same again with the same seed, whatever the order",
        ],
      },
    ],
  },
];
