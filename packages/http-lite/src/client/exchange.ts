// What a connection knows of one exchange while that is in hand. It knows no bytes and no time.
import type { Call } from "./call.ts";
import type { ReplyBody } from "./reply-body.ts";
import type { Upload } from "./upload.ts";

export class Exchange {
  readonly call: Call;
  /** The rest of its request, where that is not complete with its head. */
  readonly upload: Upload | undefined;
  /** What its reply brings, once that has begun. */
  body: ReplyBody | undefined;
  /** The reply is complete; its request may not be. */
  replied = false;
  /** The server wants to go on after this reply. */
  persists = true;
  /** Bytes of the reply's body still to come; Infinity when that is not known. */
  left: number = Infinity;
  /** The rest of the body is read and dropped. */
  dropping = false;

  constructor(call: Call, upload: Upload | undefined) {
    this.call = call;
    this.upload = upload;
  }

  /** It is over, or given up: its caller's signal has nothing to end here, and nothing more is sent. */
  release(): void {
    this.call.onGivenUp = undefined;
    this.upload?.stop();
  }
}
