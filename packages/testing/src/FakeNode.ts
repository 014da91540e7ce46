/**
 * The fake node, by the name that redfx's own tests have for it.
 */
export * from "./RedisFakeNode.ts"
