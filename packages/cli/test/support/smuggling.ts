// Bytes that two HTTP implementations might read differently: each holds a second request, in a place where one of them
// could take it for the body of the first, and the other for a request. One character stands for one byte.
export interface Payload {
  readonly name: string;
  readonly bytes: string;
}

const second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
const chunk = `${second.length.toString(16)}\r\n${second}\r\n`;
const last = "0\r\n\r\n";

/** A request whose field lines, each with its line end, and body are given. */
const post = (fields: string, body: string, line = "POST /first HTTP/1.1"): string =>
  `${line}\r\nHost: a\r\n${fields}\r\n${body}`;

const lengthOf = (body: string): string => `Content-Length: ${body.length}\r\n`;

/** Field lines that some take for "Transfer-Encoding: chunked" and some do not (RFC 9112 §6.1). */
const codings: Readonly<Record<string, string>> = {
  plain: "Transfer-Encoding: chunked\r\n",
  "in other case": "tRANSFER-eNCODING: CHUNKED\r\n",
  "without a space": "Transfer-Encoding:chunked\r\n",
  "with many spaces": "Transfer-Encoding:     chunked     \r\n",
  "with a tab": "Transfer-Encoding:\tchunked\t\r\n",
  "with a vertical tab": "Transfer-Encoding:\x0bchunked\r\n",
  "with a form feed behind": "Transfer-Encoding: chunked\x0c\r\n",
  "with a no-break space": "Transfer-Encoding: \xa0chunked\r\n",
  "with a NUL": "Transfer-Encoding: chunked\0\r\n",
  "with a NUL in its name": "Transfer-Encoding\0: chunked\r\n",
  "with a high byte in its name": "Transfer\x96Encoding: chunked\r\n",
  "with an underscore": "Transfer_Encoding: chunked\r\n",
  "with a space before the colon": "Transfer-Encoding : chunked\r\n",
  "with a tab before the colon": "Transfer-Encoding\t: chunked\r\n",
  "with a space before its name": " Transfer-Encoding: chunked\r\n",
  "folded before its value": "Transfer-Encoding:\r\n chunked\r\n",
  "folded behind another field": "X: y\r\n Transfer-Encoding: chunked\r\n",
  "folded behind the colon of another field": "X:\r\n Transfer-Encoding: chunked\r\n",
  "behind a bare LF": "X: y\nTransfer-Encoding: chunked\r\n",
  "behind a bare CR": "X: y\rTransfer-Encoding: chunked\r\n",
  "behind CR CR LF": "X: y\r\r\nTransfer-Encoding: chunked\r\n",
  "ended by a bare LF": "Transfer-Encoding: chunked\n",
  "ended by a bare CR and X": "Transfer-Encoding: chunked\rX: y\r\n",
  quoted: 'Transfer-Encoding: "chunked"\r\n',
  "in quotes that are single": "Transfer-Encoding: 'chunked'\r\n",
  "with a parameter": "Transfer-Encoding: chunked;q=1\r\n",
  "with a comma before": "Transfer-Encoding: ,chunked\r\n",
  "with a comma behind": "Transfer-Encoding: chunked,\r\n",
  "as a word longer": "Transfer-Encoding: chunkedd\r\n",
  "as a word shorter": "Transfer-Encoding: chunke\r\n",
  "with an x before": "Transfer-Encoding: xchunked\r\n",
  "not last": "Transfer-Encoding: chunked, identity\r\n",
  "behind identity": "Transfer-Encoding: identity, chunked\r\n",
  "behind gzip": "Transfer-Encoding: gzip, chunked\r\n",
  "twice in a line": "Transfer-Encoding: chunked, chunked\r\n",
  "in two lines": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
  "in the second of two lines": "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
  "in the first of two lines": "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n",
  identity: "Transfer-Encoding: identity\r\n",
  empty: "Transfer-Encoding:\r\n",
  "named by Connection": "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
  "behind CRLF and NUL": "X: y\r\n\0Transfer-Encoding: chunked\r\n",
};

/** Lines that some take for this length, and some for another, or for none (RFC 9110 §8.6). */
const lengths = (length: number): Readonly<Record<string, string>> => ({
  plain: `Content-Length: ${length}\r\n`,
  "with a plus": `Content-Length: +${length}\r\n`,
  "with a minus": `Content-Length: -${length}\r\n`,
  "with leading zeros": `Content-Length: 000${length}\r\n`,
  "with an underscore": `Content-Length: 0_${length}\r\n`,
  "in hexadecimal": `Content-Length: 0x${length.toString(16)}\r\n`,
  "with a fraction": `Content-Length: ${length}.0\r\n`,
  "with an exponent": `Content-Length: ${length}e0\r\n`,
  quoted: `Content-Length: "${length}"\r\n`,
  "with a space inside": `Content-Length: 0 ${length}\r\n`,
  "with a tab behind": `Content-Length: ${length}\t\r\n`,
  "with a vertical tab": `Content-Length: \x0b${length}\r\n`,
  "with a no-break space": `Content-Length: \xa0${length}\r\n`,
  "with a NUL behind": `Content-Length: ${length}\0\r\n`,
  "with a superscript digit": "Content-Length: \xb2\r\n",
  "as a list of the same": `Content-Length: ${length}, ${length}\r\n`,
  "as a list of two": `Content-Length: 0, ${length}\r\n`,
  "with a comma behind": `Content-Length: ${length},\r\n`,
  "with a semicolon behind": `Content-Length: ${length};\r\n`,
  "twice the same": `Content-Length: ${length}\r\nContent-Length: ${length}\r\n`,
  "twice, the second 0": `Content-Length: ${length}\r\ncontent-length: 0\r\n`,
  "twice, the first 0": `Content-Length: 0\r\nCONTENT-LENGTH: ${length}\r\n`,
  empty: "Content-Length:\r\n",
  "with a space before the colon": `Content-Length : ${length}\r\n`,
  "with an underscore in its name": `Content_Length: ${length}\r\n`,
  "with a space before its name": ` Content-Length: ${length}\r\n`,
  folded: `Content-Length:\r\n ${length}\r\n`,
  "folded behind another length": `Content-Length: 0\r\n ${length}\r\n`,
  "behind a bare LF": `X: y\nContent-Length: ${length}\r\n`,
  "behind a bare CR": `X: y\rContent-Length: ${length}\r\n`,
  "named by Connection": `Connection: Content-Length\r\nContent-Length: ${length}\r\n`,
  "of 2^32 and it": `Content-Length: ${2 ** 32 + length}\r\n`,
  "of 2^64 and it": `Content-Length: ${2n ** 64n + BigInt(length)}\r\n`,
});

/** Chunked bodies whose end is a matter of opinion (RFC 9112 §7.1). */
const chunkedBodies: Readonly<Record<string, string>> = {
  "one chunk": `${chunk}${last}`,
  "none, and a request behind it": `${last}${second}`,
  "in upper case": `${chunk.toUpperCase()}${last}`,
  "leading zeros": `0000${chunk}${last}`,
  "too many leading zeros": `${"0".repeat(40)}${chunk}${last}`,
  "last chunk of many zeros": `00000\r\n\r\n${second}`,
  "a size with 0x": `0x${chunk}${last}`,
  "a size with a plus": `+${chunk}${last}`,
  "a size with a minus": `-${chunk}${last}`,
  "a size with an underscore": `0_${chunk}${last}`,
  "a size with a space before": ` ${chunk}${last}`,
  "a size with a space behind": chunk.replace("\r\n", " \r\n") + last,
  "a size with a tab behind": chunk.replace("\r\n", "\t\r\n") + last,
  "a size with a space inside": `0 ${chunk}${last}`,
  "a size with a NUL behind": chunk.replace("\r\n", "\0\r\n") + last,
  "a size that is empty": `\r\n${chunk}${last}`,
  "a size of 2^32 and it": `${(2 ** 32 + second.length).toString(16)}\r\n${second}\r\n${last}`,
  "a size of 2^64": `10000000000000000\r\n\r\n${second}`,
  "a size of 2^64 and it": `${(2n ** 64n + BigInt(second.length)).toString(16)}\r\n${second}\r\n${last}`,
  "a size of 2^63": `8000000000000000\r\n${second}\r\n${last}`,
  "a size of all ones": `ffffffffffffffff\r\n${second}\r\n${last}`,
  "a size in words": `zz\r\n${second}\r\n${last}`,
  "an extension": chunk.replace("\r\n", ";a=b\r\n") + last,
  "an extension that is quoted": chunk.replace("\r\n", ';a="b;\\" c"\r\n') + last,
  "an extension without a name": chunk.replace("\r\n", ";\r\n") + last,
  "an extension with white space": chunk.replace("\r\n", " ; a = b\r\n") + last,
  "an extension with a bare LF": chunk.replace("\r\n", `;a\n${chunk}`) + last,
  "an extension with a bare CR": chunk.replace("\r\n", ";a\rb\r\n") + last,
  "an extension with a NUL": chunk.replace("\r\n", ";a\0b\r\n") + last,
  "an extension with a high byte": chunk.replace("\r\n", ";a=\xff\r\n") + last,
  "an extension of the last chunk": `0;a=b\r\n\r\n${second}`,
  "an extension of the last chunk with a bare LF": `0;\n\r\n${second}`,
  "an extension that is a request": `1;GET /second HTTP/1.1\r\nx\r\n${last}`,
  "a size ended by LF": chunk.replace("\r\n", "\n") + last,
  "a size ended by CR": chunk.replace("\r\n", "\r") + last,
  "a size ended by CR CR LF": chunk.replace("\r\n", "\r\r\n") + last,
  "a size ended by CR X": chunk.replace("\r\n", "\rX") + last,
  "the last chunk ended by LF": `0\n\r\n${second}`,
  "the last chunk ended by LF LF": `0\n\n${second}`,
  "no CRLF behind the data": `3\r\nabc0\r\n\r\n${second}`,
  "two other bytes behind the data": `3\r\nabcXX0\r\n\r\n${second}`,
  "LF behind the data": `3\r\nabc\n0\r\n\r\n${second}`,
  "CR X behind the data": `3\r\nabc\rX0\r\n\r\n${second}`,
  "more data than its size": `3\r\nabcdef\r\n${last}${second}`,
  "no last chunk": chunk,
  "no empty line at the end": `0\r\n${second}`,
  "a trailer": `0\r\nX: y\r\n\r\n${second}`,
  "a trailer that is a length": `0\r\nContent-Length: ${second.length}\r\n\r\n${second}`,
  "a trailer that is a coding": `0\r\nTransfer-Encoding: chunked\r\n\r\n${second}`,
  "a trailer that is a host": `0\r\nHost: b\r\n\r\n${second}`,
  "a trailer with a space before the colon": `0\r\nX : y\r\n\r\n${second}`,
  "a trailer that is folded": `0\r\nX: y\r\n z\r\n\r\n${second}`,
  "a trailer with a bare LF": `0\r\nX: y\n\r\n${second}`,
  "a trailer section ended by LF": `0\r\n\n${second}`,
  "a trailer section ended by CR X": `0\r\n\rX${second}`,
};

/** Field sections whose end is a matter of opinion, before a request. */
const heads: Readonly<Record<string, string>> = {
  "ended by LF LF": `GET /first HTTP/1.1\r\nHost: a\n\n${second}`,
  "ended by CRLF LF": `GET /first HTTP/1.1\r\nHost: a\r\n\n${second}`,
  "ended by CRLF CR X": `GET /first HTTP/1.1\r\nHost: a\r\n\rX${second}`,
  "ended by CR CR": `GET /first HTTP/1.1\r\nHost: a\r\r${second}`,
  "ended by LF CR LF": `GET /first HTTP/1.1\r\nHost: a\n\r\n${second}`,
  "all in LF": `GET /first HTTP/1.1\nHost: a\n\n${second}`,
  "with a line of white space": `GET /first HTTP/1.1\r\nHost: a\r\n \r\n${second}`,
  "with a line that is folded": `GET /first HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n${second}`,
  "with a first line that is folded": `GET /first HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n${second}`,
  "with a line without a colon": `GET /first HTTP/1.1\r\nHost: a\r\nX\r\n\r\n${second}`,
  "with a name that is empty": `GET /first HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n${second}`,
  "with a name of brackets": `GET /first HTTP/1.1\r\nHost: a\r\n[X]: y\r\n\r\n${second}`,
  "with a NUL in a value": `GET /first HTTP/1.1\r\nHost: a\r\nX: \0y\r\n\r\n${second}`,
  "with high bytes in a value": `GET /first HTTP/1.1\r\nHost: a\r\nX: \x80\xff\r\n\r\n${second}`,
  "with high bytes in a name": `GET /first HTTP/1.1\r\nHost: a\r\nX\xff: y\r\n\r\n${second}`,
  "with a request in a value, by bare CR": `GET /first HTTP/1.1\r\nHost: a\r\nX: y\r\r${second.replaceAll("\r\n", "\r")}\r\n\r\n`,
  "with a request in a value, by bare LF": `GET /first HTTP/1.1\r\nHost: a\r\nX: y\n\n${second.replaceAll("\r\n", "\n")}\r\n\r\n`,
  "with two hosts": `GET /first HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${second}`,
  "with two equal hosts": `GET /first HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n${second}`,
  "without a host": `GET /first HTTP/1.1\r\n\r\n${second}`,
  "with a host that is empty": `GET /first HTTP/1.1\r\nHost:\r\n\r\n${second}`,
  "with a host that is a path": `GET /first HTTP/1.1\r\nHost: a/b\r\n\r\n${second}`,
  "with a host before a space": `GET /first HTTP/1.1\r\nHost: a b\r\n\r\n${second}`,
  "with a host and a user": `GET /first HTTP/1.1\r\nHost: u@a\r\n\r\n${second}`,
  "with a host with a bad port": `GET /first HTTP/1.1\r\nHost: a:b\r\n\r\n${second}`,
  "with the host removed by Connection": `GET /first HTTP/1.1\r\nHost: a\r\nConnection: Host\r\n\r\n${second}`,
  "with the proxy's own field": `GET /first HTTP/1.1\r\nHost: a\r\nX-Stamp: mine\r\nx-stamp: mine\r\n\r\n${second}`,
  "with the proxy's own field removed by Connection": `GET /first HTTP/1.1\r\nHost: a\r\nConnection: X-Stamp\r\n\r\n${second}`,
  "behind empty lines": `\r\n\r\nGET /first HTTP/1.1\r\nHost: a\r\n\r\n${second}`,
  "behind many empty lines": `${"\r\n".repeat(20)}GET /first HTTP/1.1\r\nHost: a\r\n\r\n${second}`,
  "behind a bare LF": `\nGET /first HTTP/1.1\r\nHost: a\r\n\r\n${second}`,
  "behind a space": ` GET /first HTTP/1.1\r\nHost: a\r\n\r\n${second}`,
  "of many fields": `GET /first HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(90)}\r\n${second}`,
  "of too many fields": `GET /first HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(2000)}\r\n${second}`,
  "with a value of 7 KiB": `GET /first HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(7168)}\r\n\r\n${second}`,
  "with a value of 40 KiB": `GET /first HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(40_960)}\r\n\r\n${second}`,
};

/** Request lines, before the field lines of a request that ends there. */
const requestLines: readonly string[] = [
  "GET /first",
  "GET /first HTTP/0.9",
  "GET /first HTTP/1.0",
  "GET /first HTTP/1.2",
  "GET /first HTTP/1.10",
  "GET /first HTTP/01.1",
  "GET /first HTTP/2.0",
  "GET /first http/1.1",
  "GET /first  HTTP/1.1",
  "GET  /first HTTP/1.1",
  "GET\t/first HTTP/1.1",
  "GET /first\tHTTP/1.1",
  "GET /first HTTP/1.1 ",
  "GET /first HTTP/1.1 HTTP/1.1",
  "GET /first HTTP /1.1",
  "GET /first HTTP/1.1\r",
  "GET /first\x0bHTTP/1.1",
  "GET /fi rst HTTP/1.1",
  "GET /first\0 HTTP/1.1",
  "GET /first\xff HTTP/1.1",
  "GET /first#fragment HTTP/1.1",
  "GET /first%0d%0aX:%20y HTTP/1.1",
  "GET /first%00 HTTP/1.1",
  "GET /first%zz HTTP/1.1",
  "GET /../first HTTP/1.1",
  "GET //first HTTP/1.1",
  "GET /first;/..;/ HTTP/1.1",
  "GET first HTTP/1.1",
  "GET ?first HTTP/1.1",
  "GET * HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "GET http://a/first HTTP/1.1",
  "GET http://b/first HTTP/1.1",
  "GET http://a HTTP/1.1",
  "GET http://u@a/first HTTP/1.1",
  "GET http://a:80/first HTTP/1.1",
  "GET http:///first HTTP/1.1",
  "GET https://a/first HTTP/1.1",
  "GET ftp://a/first HTTP/1.1",
  "GET a:80 HTTP/1.1",
  "CONNECT a:80 HTTP/1.1",
  "CONNECT /first HTTP/1.1",
  "TRACE /first HTTP/1.1",
  "HEAD /first HTTP/1.1",
  "get /first HTTP/1.1",
  "BREW /first HTTP/1.1",
  "G(T /first HTTP/1.1",
  "G\0T /first HTTP/1.1",
  "PRI * HTTP/2.0",
];

/** Whole first requests before the second: methods with bodies, upgrades, expectations, replies before the body. */
const conversations: Readonly<Record<string, string>> = {
  "GET with a body": post(lengthOf(second), second, "GET /first HTTP/1.1"),
  "GET with a chunked body": post(codings["plain"] ?? "", chunk + last, "GET /first HTTP/1.1"),
  "HEAD with a body": post(lengthOf(second), second, "HEAD /first HTTP/1.1"),
  "DELETE with a body": post(lengthOf(second), second, "DELETE /first HTTP/1.1"),
  "OPTIONS with a body": post(lengthOf(second), second, "OPTIONS /first HTTP/1.1"),
  "OPTIONS with a chunked body": post(codings["plain"] ?? "", chunk + last, "OPTIONS /first HTTP/1.1"),
  "TRACE with a body": post(lengthOf(second), second, "TRACE /first HTTP/1.1"),
  "CONNECT with a body": post(lengthOf(second), second, "CONNECT a:80 HTTP/1.1"),
  "an unknown method with a body": post(lengthOf(second), second, "BREW /first HTTP/1.1"),
  "a method in lower case with a body": post(lengthOf(second), second, "post /first HTTP/1.1"),
  "POST without a length": post("", second),
  "HTTP/1.0 with a body": post(lengthOf(second), second, "POST /first HTTP/1.0"),
  "HTTP/1.0 without a length": post("", second, "POST /first HTTP/1.0"),
  "HTTP/1.0, kept, with a body": post(
    `Connection: keep-alive\r\n${lengthOf(second)}`,
    second,
    "POST /first HTTP/1.0",
  ),
  "HTTP/1.0 in chunks": post(codings["plain"] ?? "", chunk + last, "POST /first HTTP/1.0"),
  "HTTP/1.0 in chunks, kept": post(
    `Connection: keep-alive\r\n${codings["plain"]}`,
    chunk + last,
    "POST /first HTTP/1.0",
  ),
  "close, and a request behind it": `GET /first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${second}`,
  "keep-alive and close": `GET /first HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n${second}`,
  "Upgrade to WebSocket": post(
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    second,
    "GET /first HTTP/1.1",
  ),
  "Upgrade to WebSocket with a wrong version": post(
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n",
    second,
    "GET /first HTTP/1.1",
  ),
  "Upgrade with a body": post(`Connection: Upgrade\r\nUpgrade: websocket\r\n${lengthOf(second)}`, second),
  "Upgrade to h2c": post(
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
    second,
    "GET /first HTTP/1.1",
  ),
  "Expect: 100-continue": post(`Expect: 100-continue\r\n${lengthOf(second)}`, second),
  "Expect: 100-continue, in chunks": post(`Expect: 100-continue\r\n${codings["plain"]}`, chunk + last),
  "Expect: 100-continue, unread": post(
    `Expect: 100-continue\r\n${lengthOf(second)}`,
    second,
    "POST /unread HTTP/1.1",
  ),
  "Expect: 100-continue without a body": `GET /first HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n${second}`,
  "Expect: y 100-continue": post(`Expect: y 100-continue\r\n${lengthOf(second)}`, second),
  "Expect: 100-continue in HTTP/1.0": post(
    `Expect: 100-continue\r\n${lengthOf(second)}`,
    second,
    "POST /first HTTP/1.0",
  ),
  "a body that nobody reads": post(lengthOf(second), second, "POST /unread HTTP/1.1"),
  "a body in chunks that nobody reads": post(codings["plain"] ?? "", chunk + last, "POST /unread HTTP/1.1"),
  "a long body that nobody reads": post(
    lengthOf(second.repeat(5000)),
    second.repeat(5000),
    "POST /unread HTTP/1.1",
  ),
  "a long body in chunks that nobody reads": post(
    codings["plain"] ?? "",
    chunk.repeat(5000) + last,
    "POST /unread HTTP/1.1",
  ),
  "a body that ends early": post(`Content-Length: ${second.length + 1}\r\n`, second),
  "a body that ends early, unread": post(
    `Content-Length: ${second.length + 1}\r\n`,
    second,
    "POST /unread HTTP/1.1",
  ),
  "a body in chunks that ends early": post(codings["plain"] ?? "", chunk),
  "ten requests at once": "GET /first HTTP/1.1\r\nHost: a\r\n\r\n".repeat(10),
  "ten bodies at once": post(lengthOf(second), second).repeat(10),
  "a request and half of one": `GET /first HTTP/1.1\r\nHost: a\r\n\r\n${second.slice(0, 20)}`,
};

function* table(): Generator<Payload> {
  for (const [how, coding] of Object.entries(codings)) {
    yield { name: `coding ${how}, one chunk`, bytes: post(coding, chunk + last) + second };
    const ended = last + second;
    yield {
      name: `coding ${how}, then a length beyond the last chunk`,
      bytes: post(coding + lengthOf(ended), ended),
    };
    yield {
      name: `a length beyond the last chunk, then coding ${how}`,
      bytes: post(lengthOf(ended) + coding, ended),
    };
    const size = lengthOf(chunk.slice(0, 4));
    yield {
      name: `coding ${how}, with the length of the chunk's size`,
      bytes: post(coding + size, chunk + last),
    };
  }
  for (const [how, length] of Object.entries(lengths(second.length))) {
    yield { name: `length ${how}`, bytes: post(length, second) + second };
  }
  for (const [how, body] of Object.entries(chunkedBodies)) {
    yield { name: `chunks: ${how}`, bytes: post(codings["plain"] ?? "", body) };
  }
  for (const [how, bytes] of Object.entries(heads)) yield { name: `head ${how}`, bytes };
  for (const line of requestLines) {
    yield { name: `request line ${JSON.stringify(line)}`, bytes: `${line}\r\nHost: a\r\n\r\n${second}` };
  }
  for (const [how, bytes] of Object.entries(conversations)) yield { name: how, bytes: bytes + second };
}

/** All of them. */
export const payloads: readonly Payload[] = [...table()];
