/**
 * Commands on the probabilistic types of the module RedisBloom, which is part of
 * Redis since 8.0: Bloom and Cuckoo filters, Count-Min and Top-K sketches, t-digests.
 *
 * @since 0.1.0
 */
export * from "./commands/modules/Bloom.ts"
export * from "./commands/modules/CountMinSketch.ts"
export * from "./commands/modules/Cuckoo.ts"
export * from "./commands/modules/TDigest.ts"
export * from "./commands/modules/TopK.ts"
