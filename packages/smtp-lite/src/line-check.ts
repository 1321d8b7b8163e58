// Whether content is lines: every CR and LF part of a CRLF, by pieces of any size. It knows nothing of dots.
import { asBuffer } from "@tcpkit/core";

const LF = 10;

export class LineCheck {
  /** The last byte was a CR, whose LF has not come. */
  openCr = false;
  /** The next byte begins a line. */
  lineStart = true;

  /** Takes the next piece; false where it has a CR or LF that is not part of CRLF. */
  push(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    if (this.openCr && bytes[0] !== LF) return false;
    let at = this.openCr ? 1 : 0;
    const text = asBuffer(bytes).toString("latin1");
    for (;;) {
      const cr = text.indexOf("\r", at);
      const lf = text.indexOf("\n", at);
      this.openCr = cr >= 0 && cr === text.length - 1 && lf < 0;
      if (this.openCr) break;
      if (cr < 0 && lf < 0) break;
      if (cr < 0 || lf !== cr + 1) return false;
      at = lf + 1;
    }
    this.lineStart = at === text.length;
    return true;
  }
}
