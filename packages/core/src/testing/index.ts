// The testing kit: connections without a port, a clock in the hand, and a proof for decoders.
export { pair, splitEvery } from "./pair.ts";
export type { Fault, PairOptions } from "./pair.ts";
export { fakeClock } from "./fake-clock.ts";
export type { FakeClock } from "./fake-clock.ts";
export { joinData, outputText, verifyDecoder } from "./verify-decoder.ts";
export type { VerifyDecoderOptions } from "./verify-decoder.ts";
