// The public face of the inspector, in reading order: serve the page, or build on what it reads.
export { serveInspector } from "./server.ts";
export type { InspectorOptions } from "./server.ts";
export type { Service } from "./service.ts";
export { Hub } from "./hub.ts";
export type { Batch, HubOptions, HubReader } from "./hub.ts";
export type { KeptData, KeptRecord } from "./kept.ts";
export { defaultLimits } from "./limits.ts";
export type { Limits } from "./limits.ts";
