/**
 * Scripted servers, for testing what a program does when its server fails.
 *
 * @since 0.1.0
 */
export * as RedisFakeNode from "./RedisFakeNode.ts"
export * as RedisFakeReply from "./RedisFakeReply.ts"
