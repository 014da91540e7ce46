/**
 * What a server writes, by the name that redfx's own tests have for it.
 */
export * from "./RedisFakeReply.ts"
