/**
 * Commands on JSON documents, of the modules RedisJSON (part of Redis since 8.0) and valkey-json.
 *
 * @since 0.1.0
 */
export * from "./commands/modules/Json.ts"
