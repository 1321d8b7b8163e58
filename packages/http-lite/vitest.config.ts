export { bothWays as default } from "../../vitest.both-ways.ts";
