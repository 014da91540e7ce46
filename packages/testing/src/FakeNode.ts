/**
 * The fake node, under the name that redfx's own tests use.
 */
export * from "./RedisFakeNode.ts"
