// The testing kit: connections without a port, faults on the wire, a clock in the hand, and a proof for decoders.
export { pair } from "./pair.ts";
export type { DirectedFaults, PairOptions } from "./pair.ts";
export { drip, endAfter, merge, resetAfter, splitAt, splitEvery, stallAfter } from "./faults.ts";
export type { Fault, WireStep } from "./faults.ts";
export { randomFaults } from "./random-faults.ts";
export type { RandomFaults } from "./random-faults.ts";
export { expectEvents } from "./expect-events.ts";
export type { ExpectedEvent, ExpectEventsOptions } from "./expect-events.ts";
export { fakeClock } from "./fake-clock.ts";
export type { FakeClock } from "./fake-clock.ts";
export { joinData, outputText, verifyDecoder } from "./verify-decoder.ts";
export type { VerifyDecoderOptions } from "./verify-decoder.ts";
