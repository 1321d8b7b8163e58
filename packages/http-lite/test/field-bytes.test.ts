// Values are skipped eight bytes at a time: no byte is overlooked, wherever it stands.
import fc from "fast-check";
import { expect, it } from "vitest";
import { skipFieldBytes } from "../src/field-bytes.ts";

/** Control characters but HTAB (RFC 9110 §5.5). */
const isForbidden = (value: number): boolean => (value < 0x20 && value !== 0x09) || value === 0x7f;

const byte = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xff }) },
);

it("stops at the first byte that may not stand in a value, wherever that is", () => {
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 200 }), fc.nat(40), fc.nat(40), (values, from, rest) => {
      const bytes = Buffer.from(values);
      const stop = Math.max(0, bytes.length - rest);
      const start = Math.min(from, stop);
      const first = bytes.subarray(start, stop).findIndex(isForbidden);
      expect(skipFieldBytes(bytes, start, stop)).toBe(first < 0 ? stop : start + first);
    }),
    { numRuns: 2000 },
  );
});

it("tells every byte at every place of eight", () => {
  const bytes = Buffer.alloc(48, "a");
  for (let value = 0; value < 256; value++) {
    for (let at = 16; at < 40; at++) {
      bytes[at] = value;
      expect(skipFieldBytes(bytes, 0, bytes.length), `byte ${value} at ${at}`).toBe(
        isForbidden(value) ? at : bytes.length,
      );
      bytes[at] = 0x61;
    }
  }
});
