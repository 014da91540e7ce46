/**
 * Redis and Valkey for Effect: codec, typed commands, connections, pools, the
 * standalone client.
 *
 * @since 0.1.0
 */
export * as Redis from "./Redis.ts"
export * as RedisArg from "./RedisArg.ts"
export * as RedisBloom from "./RedisBloom.ts"
export * as RedisClient from "./RedisClient.ts"
export * as RedisCommand from "./RedisCommand.ts"
export * as RedisConfig from "./RedisConfig.ts"
export * as RedisConnector from "./RedisConnector.ts"
export * as RedisError from "./RedisError.ts"
export * as RedisJson from "./RedisJson.ts"
export * as RedisKeyspace from "./RedisKeyspace.ts"
export * as RedisLock from "./RedisLock.ts"
export * as RedisMonitor from "./RedisMonitor.ts"
export * as RedisPersistence from "./RedisPersistence.ts"
export * as RedisPipeline from "./RedisPipeline.ts"
export * as RedisPool from "./RedisPool.ts"
export * as RedisPromise from "./RedisPromise.ts"
export * as RedisPubSub from "./RedisPubSub.ts"
export * as RedisReply from "./RedisReply.ts"
export * as RedisScan from "./RedisScan.ts"
export * as RedisScript from "./RedisScript.ts"
export * as RedisSearch from "./RedisSearch.ts"
export * as RedisStandalone from "./RedisStandalone.ts"
export * as RedisStream from "./RedisStream.ts"
export * as RedisTelemetry from "./RedisTelemetry.ts"
export * as RedisTimeSeries from "./RedisTimeSeries.ts"
export * as RedisTransaction from "./RedisTransaction.ts"
export * as RedisUrl from "./RedisUrl.ts"
export * as Resp from "./Resp.ts"
