// Every bound of the inspector, in counts and in bytes, with its default and its reason.

/** How much the inspector keeps and sends. Every number is a positive whole number. */
export interface Limits {
  /** Records kept. Default: 20,000, about what a page can show without getting slow. */
  readonly records: number;
  /** Bytes kept, texts and a flat cost for each record included. Default: 16 MiB. */
  readonly bytes: number;
  /** Bytes kept of one chunk, from its beginning. Default: 8,192: heads of messages matter, bulk does not. */
  readonly chunkBytes: number;
  /** Characters kept of a message's line of text. Default: 1,000. */
  readonly textLength: number;
  /** Named pieces kept of one message. Default: 256. */
  readonly tokens: number;
  /** Openings remembered of connections that are still open but have fallen out of the ring. Default: 1,000. */
  readonly openings: number;
  /** Records in one batch to a page. Default: 500: a page takes them in within a frame. */
  readonly batchRecords: number;
  /** Cost of one batch to a page, in bytes. Default: 512 KiB. */
  readonly batchBytes: number;
  /** Pages that may watch at the same time; one that was closed counts until the next heartbeat. Default: 32. */
  readonly pages: number;
}

export const defaultLimits: Limits = {
  records: 20_000,
  bytes: 16 * 1024 * 1024,
  chunkBytes: 8192,
  textLength: 1000,
  tokens: 256,
  openings: 1000,
  batchRecords: 500,
  batchBytes: 512 * 1024,
  pages: 32,
};
