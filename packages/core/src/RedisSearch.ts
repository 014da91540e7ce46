/**
 * Commands on search indexes, of the module RediSearch, which is part of Redis since 8.0.
 *
 * @since 0.1.0
 */
export * from "./commands/modules/Search.ts"
export * from "./commands/modules/SearchHybrid.ts"
export * from "./commands/modules/SearchProfile.ts"
