/**
 * Every command, one function each, and what runs several of them.
 *
 * @since 0.1.0
 */
export * from "./commands/Bitmaps.ts"
export * from "./commands/Connection.ts"
export * from "./commands/Generic.ts"
export * from "./commands/Hashes.ts"
export * from "./commands/HyperLogLog.ts"
export * from "./commands/Lists.ts"
export * from "./commands/Strings.ts"
export { via, withConnection } from "./RedisClient.ts"
export { asBigInt, asBytes, send } from "./RedisCommand.ts"
export { pipeline, pipelineSettled } from "./RedisPipeline.ts"
