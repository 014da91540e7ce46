/**
 * Every command, one function each, and what runs several of them.
 *
 * @since 0.1.0
 */
export * from "./commands/Acl.ts"
export * from "./commands/Arrays.ts"
export * from "./commands/Backup.ts"
export * from "./commands/Bitmaps.ts"
export * from "./commands/Cluster.ts"
export * from "./commands/ClusterSlots.ts"
export * from "./commands/Commands.ts"
export * from "./commands/Config.ts"
export * from "./commands/Connection.ts"
export * from "./commands/Expiration.ts"
export * from "./commands/Functions.ts"
export * from "./commands/Generic.ts"
export * from "./commands/Geo.ts"
export * from "./commands/Hashes.ts"
export * from "./commands/HashExpiration.ts"
export * from "./commands/HashImport.ts"
export * from "./commands/Help.ts"
export * from "./commands/Hotkeys.ts"
export * from "./commands/HyperLogLog.ts"
export * from "./commands/Increx.ts"
export * from "./commands/Info.ts"
export * from "./commands/Latency.ts"
export * from "./commands/ListMoves.ts"
export * from "./commands/Lists.ts"
export * from "./commands/Memory.ts"
export * from "./commands/Modules.ts"
export * from "./commands/PathHashes.ts"
export * from "./commands/PubSub.ts"
export type { MonitorEvent } from "./commands/replies/MonitorEvent.ts"
export * from "./commands/Scripting.ts"
export * from "./commands/Sentinel.ts"
export * from "./commands/Server.ts"
export * from "./commands/Sets.ts"
export * from "./commands/Slowlog.ts"
export * from "./commands/Sort.ts"
export * from "./commands/SortedSetAlgebra.ts"
export * from "./commands/SortedSetRanges.ts"
export * from "./commands/SortedSets.ts"
export * from "./commands/StreamGroups.ts"
export * from "./commands/StreamInfo.ts"
export * from "./commands/Streams.ts"
export * from "./commands/Strings.ts"
export * from "./commands/VectorSets.ts"
export { cached, uncached } from "./RedisCache.ts"
export { via, withConnection, withTimeout } from "./RedisClient.ts"
export { asBigInt, asBytes, send } from "./RedisCommand.ts"
export { keyspaceEvents } from "./RedisKeyspaceEvents.ts"
export { monitor } from "./RedisMonitor.ts"
export { pipeline, pipelineSettled } from "./RedisPipeline.ts"
export { psubscribe, pubsub, ssubscribe, subscribe } from "./RedisPubSub.ts"
export {
  hscanStream,
  hscanStreamBytes,
  scanStream,
  scanStreamBytes,
  sscanStream,
  sscanStreamBytes,
  zscanStream,
  zscanStreamBytes
} from "./RedisScan.ts"
export { read as xreadStream, readGroup as xreadgroupStream } from "./RedisStream.ts"
export { transaction, transactionSettled, watch } from "./RedisTransaction.ts"
