/**
 * The values that a server writes, under the name that redfx's own tests use.
 */
export * from "./RedisFakeReply.ts"
