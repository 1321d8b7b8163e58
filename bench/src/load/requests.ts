// The requests that HTTP loads send.

/** As little as HTTP allows. */
export const SHORT: readonly string[] = ["Host: 127.0.0.1"];

/** What a browser sends: 15 field lines. The whole request for /hello has 684 bytes. */
export const BROWSER: readonly string[] = [
  "Host: 127.0.0.1",
  "Connection: keep-alive",
  "Cache-Control: max-age=0",
  'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Linux"',
  "Upgrade-Insecure-Requests: 1",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Sec-Fetch-Site: none",
  "Sec-Fetch-Mode: navigate",
  "Sec-Fetch-Dest: document",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-US,en;q=0.9",
  "Cookie: session=0123456789abcdef0123456789abcdef; visitor=1234567890.1760; theme=light; consent=yes",
];

/** A request of these field lines, as latin1 text. */
export function requestOf(fields: readonly string[]): string {
  return `GET /hello HTTP/1.1\r\n${fields.map((line) => `${line}\r\n`).join("")}\r\n`;
}
