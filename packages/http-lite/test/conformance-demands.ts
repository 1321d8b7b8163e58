// What HTTP/1.1 demands of this package, chapter by chapter, and where each demand is shown to be met: by the vectors
// that name one of its sections as their `ref`, and by tests where it is not about decoding.

export interface Demand {
  /** A vector belongs to the first demand that lists its `ref`. */
  readonly sections: readonly string[];
  readonly demand: string;
  /** Tests, as `file: name`; the vectors of switches.json are tests too, of upgrade.test.ts. */
  readonly tests?: readonly string[];
}

export interface Chapter {
  readonly title: string;
  readonly demands: readonly Demand[];
}

export const CHAPTERS: readonly Chapter[] = [
  {
    title: "Lines, target, version",
    demands: [
      {
        sections: ["RFC 9112 §2.2"],
        demand:
          "A message is parsed as octets. Only CRLF ends a line: a bare LF or a bare CR is refused. No white space comes before the first field line. One or two empty lines before a request line are skipped, no more.",
        tests: ["server.test.ts: a broken request is answered in plain words, with close, and not reset"],
      },
      {
        sections: ["RFC 9112 §2.3", "RFC 9113 §3.4"],
        demand:
          "The version is `HTTP/1.x`: another major version is 505, another case or an extra digit 400. There is no HTTP/0.9.",
      },
      {
        sections: ["RFC 9112 §3", "RFC 9112 §3.1", "RFC 9110 §9.1", "RFC 9110 §9.3.8"],
        demand:
          "Exactly one SP stands between method, target and version. A method is a token and case-sensitive; an unknown one is 501, one that is known and refused (TRACE) 405 with `Allow`. A target over the limit is 414.",
        tests: ["server.test.ts: 405 says what is allowed"],
      },
      {
        sections: ["RFC 9112 §3.2", "RFC 9110 §7.2"],
        demand:
          "HTTP/1.1 has one `Host`, with a host and perhaps a port: missing, repeated (even with the same value), empty, a list, with userinfo, a path or a space, it is refused. A target holds no fragment, no control and no byte above ASCII.",
      },
      {
        sections: ["RFC 9112 §3.2.1", "RFC 9112 §3.2.2", "RFC 9110 §4.2.1", "RFC 9110 §4.2.4"],
        demand:
          "A target is a path, or in absolute-form, whose authority then replaces `Host`. It names a host and no user.",
        tests: [
          "server.test.ts: a target in absolute-form names the host, not the Host field (RFC 9112 §3.2.2)",
        ],
      },
      {
        sections: ["RFC 9112 §3.2.3"],
        demand: "Authority-form is for CONNECT alone, and CONNECT needs a host and a port.",
      },
      { sections: ["RFC 9112 §3.2.4"], demand: "`*` is for OPTIONS alone." },
      {
        sections: ["RFC 9112 §4"],
        demand:
          "A status line has a version, one SP, three digits, one SP and a reason, which may be empty and is bounded.",
        tests: ["client.test.ts: not HTTP"],
      },
    ],
  },
  {
    title: "Fields",
    demands: [
      {
        sections: ["RFC 9112 §5.1", "RFC 9112 §5", "RFC 9110 §5.1"],
        demand:
          "A field name is a token, not empty, directly followed by a colon. SP and HTAB around a value are no part of it.",
      },
      { sections: ["RFC 9112 §5.2"], demand: "Folded lines are refused." },
      {
        sections: ["RFC 9110 §5.5"],
        demand:
          "CR, LF, NUL and other controls in a value are refused. Only SP and HTAB are trimmed, never 0xA0, 0x85 or VT.",
      },
      {
        sections: ["RFC 9110 §5.4"],
        demand: "A field section is bounded in bytes and in lines: over either it is 431.",
      },
      {
        sections: ["RFC 9110 §5.3"],
        demand:
          "Nothing is done before the whole section is in. Lines of one name are joined in their order; `Set-Cookie` never is.",
        tests: [
          "fields.test.ts: joins the lines of one name in order, without regard to case",
          "fields.test.ts: never joins Set-Cookie, and joins Cookie by semicolons",
        ],
      },
      {
        sections: ["RFC 9110 §5.6.1", "RFC 9110 §7.6.1"],
        demand: "A bounded number of empty list members is tolerated. A `Connection` option is a token.",
      },
    ],
  },
  {
    title: "Body framing",
    demands: [
      {
        sections: ["RFC 9112 §6.1", "RFC 9112 §7"],
        demand:
          "`Transfer-Encoding` together with `Content-Length` is refused; so is it in HTTP/1.0, with an empty value, and with `chunked` not last, twice or in two lines. An unknown coding is 501.",
      },
      {
        sections: ["RFC 9110 §8.6", "RFC 9112 §6.2"],
        demand:
          "`Content-Length` is digits and nothing else: no sign, space, list or underscore, and at most 2^53-1.",
      },
      {
        sections: ["RFC 9112 §6.3"],
        demand:
          "A repeated `Content-Length` is refused, with the same value too. 1xx, 204, 304, a 2xx to CONNECT and replies to HEAD have no body, whatever their fields say; a reply without framing goes on until the connection closes.",
        tests: [
          "client.test.ts: two lengths",
          "client-switch.test.ts: begins with a 2xx, whatever its fields say of a body (RFC 9112 §6.3)",
        ],
      },
      {
        sections: ["RFC 9112 §7.1"],
        demand:
          "A chunk size is hexadecimal digits, bounded, without a sign, `0x` or space. Both bytes of CRLF are checked after the size and after the data.",
      },
      {
        sections: ["RFC 9112 §7.1.1"],
        demand:
          "Chunk extensions are checked against their grammar, ignored, and capped in total for a message.",
      },
      {
        sections: ["RFC 9112 §7.1.2", "RFC 9110 §6.5", "RFC 9110 §6.5.1"],
        demand:
          "Trailers are kept apart from the fields and bounded like them. Names that concern framing, routing or authentication are refused, in both directions. They are sent behind chunks alone.",
        tests: [
          "replies.test.ts: a trailer that would change framing",
          "client-trailers.test.ts: are refused before anything is sent: %s",
          "client-trailers.test.ts: arrive at our engine's other end",
        ],
      },
      {
        sections: ["RFC 9112 §8"],
        demand: "A body that ends early is never handed on as complete.",
        tests: [
          "server.test.ts: a body that ends early never reaches the handler as whole",
          "client.test.ts: fails the body's reader when it ends early",
        ],
      },
      {
        sections: ["RFC 9110 §9.3.1", "RFC 9110 §9.3.2", "RFC 9110 §9.3.5", "RFC 9110 §9.3.7"],
        demand: "Bodies of GET, HEAD, DELETE and OPTIONS are framed as those of other methods.",
      },
    ],
  },
  {
    title: "Connection",
    demands: [
      {
        sections: ["RFC 9112 §9.3", "RFC 9112 §9.3.1"],
        demand:
          "A connection of 1.1 persists unless one side says `close`, one of 1.0 only with keep-alive. The whole body is read, up to a bound, or the connection is closed after the reply.",
        tests: [
          "server.test.ts: persist in 1.1 until close, and nothing behind close is answered (RFC 9112 §9.6)",
          "server.test.ts: an unread body is dropped, and the connection kept",
          "replies.test.ts: announces that it will close when the rest of a body is too long to be dropped",
          "replies.test.ts: drops an endless body only up to the bound",
        ],
      },
      {
        sections: ["RFC 9112 §9.3.2", "RFC 9112 §9.2"],
        demand:
          "Pipelined requests are answered strictly in order, one at a time: what waits is bounded. Bytes that no request asked for, or that came before it was sent, are refused. A client pipelines only when it is told to: idempotent requests without a body, on a connection that has answered before. When that ends, those that were not answered are sent again elsewhere, once, and not pipelined.",
        tests: [
          "server.test.ts: are answered in their order, however long each takes (RFC 9112 §9.3.2)",
          "server.test.ts: stays bounded while a slow handler takes a big upload",
          "server.test.ts: stays bounded while a slow reader takes a big stream",
          "pipelining.test.ts: is none, behind the replies to others",
          "pipelining.test.ts: are complete in themselves behind another one",
          "client-pipelining.test.ts: does not begin before the connection has answered once (RFC 9112 §9.3.2)",
          "client-pipelining.test.ts: since the server %s: they are asked again, one at a time",
          "client-pipelining.test.ts: twice: no request is asked a third time",
          "client-pipelining.test.ts: answer nobody: neither who waits, nor who asks next (response splitting)",
        ],
      },
      {
        sections: ["RFC 9112 §9.6", "RFC 9112 §11.2"],
        demand:
          "Behind `close` and behind an error nothing is processed. The connection is half-closed and drained briefly, so that no reset takes the reply away.",
        tests: [
          "server.test.ts: a broken request is answered in plain words, with close, and not reset",
          "server.test.ts: a client that has ended its side is answered all the same",
        ],
      },
      {
        sections: ["RFC 9110 §7.8"],
        demand:
          "`Upgrade` counts for nothing in 1.0, and where `Connection` does not name it. 101 goes only to a protocol that was offered, after the replies to earlier requests, and when the body has been read. A client takes a 101 only to what it offered, and sends nothing behind an offer before its reply.",
        tests: [
          "upgrade.test.ts: comes after the replies to earlier requests, and gets the bytes behind it",
          "upgrade.test.ts: is accepted when the request's body has been read, and not before (RFC 9110 §7.8)",
          "upgrade.test.ts: to what was not offered is a mistake of ours: 500",
          "../vectors/switches.json: a protocol that was not offered",
          "../vectors/switches.json: an unread body",
          "client-switch.test.ts: offers protocols, and gives the connection, which begins with the bytes behind the head",
          "client-switch.test.ts: takes a connection that was kept, goes behind nobody, and nobody behind it",
          "client-switch.test.ts: that is refused is an ordinary reply, and the connection is kept",
        ],
      },
      {
        sections: ["RFC 9110 §9.3.6"],
        demand:
          "CONNECT is served where a program asks for it. A 2xx makes the connection a tunnel; behind a refused one nothing is read, since it may have been meant for the tunnel. A client's CONNECT has an authority as its target, the same as `Host`, and no body.",
        tests: [
          "upgrade.test.ts: hands on what the client sent before it heard that the tunnel is open",
          "upgrade.test.ts: that is refused is the last request, since what follows may be meant for the tunnel",
          "upgrade.test.ts: is not answered by an ordinary 2xx",
          "client-switch.test.ts: through a proxy of node:http to an echo server",
          "client-switch.test.ts: is never asked for twice",
        ],
      },
      {
        sections: ["RFC 9110 §10.1.1"],
        demand:
          "`Expect: 100-continue` is answered by 100 when the handler begins to read, or by the final reply; 1.0 has no expectations; an unknown one is 417.",
        tests: [
          "server.test.ts: Expect: 100-continue is answered when the handler begins to read",
          "server.test.ts: a final reply instead of 100 closes, without waiting for the body",
          "server.test.ts: a late final reply instead of 100 closes as well",
        ],
      },
      {
        sections: ["RFC 9110 §15.2", "RFC 9110 §15.2.2"],
        demand:
          "Interim replies come before the final one, and never to a client of 1.0. A client takes a bounded number of them, and a 101 only when it asked for one.",
        tests: [
          "server.test.ts: interim replies are sent before the final one",
          "replies.test.ts: no interim reply to HTTP/1.0 (RFC 9110 §15.2)",
          "client.test.ts: hears interim replies",
        ],
      },
      {
        sections: ["RFC 9110 §15.5.9"],
        demand:
          "Deadlines: a head in total, a body by progress, a kept connection while it is idle. Who has begun a request is told 408, who has not is told nothing.",
        tests: [
          "server.test.ts: a head that never ends is answered 408, though a byte comes now and then",
          "server.test.ts: a body that stalls is answered 408, and the handler hears of it",
          "server.test.ts: an idle connection is closed without a word",
          "replies.test.ts: on a timeout says 408 once a request has begun, and nothing before",
        ],
      },
    ],
  },
  {
    title: "Replies",
    demands: [
      {
        sections: ["RFC 9110 §6.6.1"],
        demand: "A reply has a `Date`, made once a second.",
        tests: [
          "date.test.ts: the date is made once a second",
          "replies.test.ts: has the date it is given, unless the program gives its own",
        ],
      },
      {
        sections: ["RFC 9112 §6.1"],
        demand:
          "No `Transfer-Encoding` in 1xx, 204 and a 2xx to CONNECT, nor to a client of 1.0: there the connection's end is the body's.",
        tests: [
          "replies.test.ts: 204 has no Transfer-Encoding (RFC 9112 §6.1)",
          "../vectors/switches.json: 101 with Transfer-Encoding",
          "../vectors/switches.json: a tunnel with Transfer-Encoding",
          "replies.test.ts: to HTTP/1.0 a streamed reply ends with the connection (RFC 9112 §6.1)",
          "replies.test.ts: a streamed reply is chunked, and an empty piece is no last chunk",
        ],
      },
      {
        sections: ["RFC 9110 §8.6"],
        demand:
          "No `Content-Length` in 1xx and 204, and never beside chunks. What is declared is what is sent, or the connection is destroyed.",
        tests: [
          "replies.test.ts: 204 has neither content nor length (RFC 9110 §8.6)",
          "replies.test.ts: an interim reply with a length",
          "../vectors/switches.json: 101 with Content-Length",
          "replies.test.ts: more or less content than was declared",
          "server.test.ts: content that is not as long as declared cuts the connection",
        ],
      },
      {
        sections: ["RFC 9110 §6.4.1"],
        demand: "Replies to HEAD, and 204, 205 and 304, carry no content.",
        tests: [
          "replies.test.ts: HEAD: the length of what GET would give, no content (RFC 9110 §9.3.2)",
          "replies.test.ts: HEAD: a streamed reply has its framing field and no chunks",
          "replies.test.ts: 205 has no content (RFC 9110 §15.3.6)",
          "replies.test.ts: 304 has no content (RFC 9110 §15.4.5)",
        ],
      },
      {
        sections: ["RFC 9112 §9.6"],
        demand: "`Connection: close` is said whenever we will close.",
        tests: [
          "replies.test.ts: the program may close",
          "replies.test.ts: HTTP/1.0 is closed",
          "session.test.ts: says close in the last reply to a client that has ended its side, and in no earlier one",
          "server.test.ts: answers the request in hand with Connection: close",
        ],
      },
      {
        sections: ["RFC 9110 §5.5", "RFC 9112 §11.1"],
        demand: "CR, LF or NUL in a name, value or reason throws before the first byte leaves.",
        tests: [
          "replies.test.ts: LF in a value",
          "replies.test.ts: CR in a value",
          "replies.test.ts: NUL in a value",
          "replies.test.ts: LF in a name",
          "replies.test.ts: LF in a reason",
        ],
      },
    ],
  },
  {
    title: "Causes of past CVEs elsewhere",
    demands: [
      cause("spaced Content-Length"),
      cause("signed Content-Length"),
      cause("Content-Length overflow"),
      cause("duplicate Content-Length in mixed case"),
      cause("chunk size overflow"),
      cause("unchecked chunk terminator"),
      cause("unbounded chunk extensions"),
      cause("unvalidated chunk extensions"),
      cause("bare LF in a chunk line"),
      cause("bare LF in a chunk"),
      cause("bare CR in a chunk line"),
      cause("Transfer-Encoding value not validated"),
      cause("second Transfer-Encoding line ignored"),
      cause("Transfer-Encoding folded"),
      cause("Transfer-Encoding in 1.0"),
      cause("trailing white space in header names or values"),
      cause("SP before colon"),
      cause("CR treated as hyphen"),
      cause("\\r\\n\\rX ends a header"),
      cause("unterminated header"),
      cause("path or Host with CRLF on the client side", [
        "client.test.ts: CRLF in the path",
        "client.test.ts: CRLF in the host",
        "replies.test.ts: LF in the target",
        "replies.test.ts: CRLF in Host",
      ]),
      cause("header memory", ["crowd.test.ts: a client is served among thousands that are slow or idle"]),
      cause("slowloris on headers, on body, on idle", [
        "server.test.ts: a head that never ends is answered 408, though a byte comes now and then",
        "server.test.ts: a body that stalls is answered 408, and the handler hears of it",
        "server.test.ts: an idle connection is closed without a word",
        "crowd.test.ts: a client is served among thousands that are slow or idle",
      ]),
      cause("__proto__", [
        "fields.test.ts: takes __proto__ and constructor as ordinary names, and has nothing else of that kind",
      ]),
      cause("Upgrade with an unread body", [
        "upgrade.test.ts: is accepted when the request's body has been read, and not before (RFC 9110 §7.8)",
      ]),
    ],
  },
];

function cause(name: string, tests: readonly string[] = []): Demand {
  return { sections: [`CVE class: ${name}`], demand: "", tests };
}
