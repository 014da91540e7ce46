/**
 * The values of RESP, the Redis serialization protocol, versions 2 and 3, and
 * the pure transforms between them and bytes.
 *
 * A reply is plain data. What JavaScript has a value for is that value: simple
 * strings are `string`, integers `number` (or `bigint` beyond ±(2⁵³−1)), doubles
 * `number`, big numbers `bigint`, booleans `boolean`, nulls of both versions
 * `null`, arrays `Array`. The rest are the small classes of this module.
 *
 * {@link decode} and {@link encode} are transforms of streams. They do no I/O, know
 * no command and turn no bulk string into text: it stays a slice of the chunk it
 * arrived in until somebody asks for it.
 *
 * @since 0.1.0
 */
export * from "./RespChannel.ts"
export { RespDecoder } from "./RespDecoder.ts"
export type { Argument } from "./RespEncoder.ts"
export { RespEncoder } from "./RespEncoder.ts"
export * from "./RespFormat.ts"
export type { DecodeOptions } from "./RespLimits.ts"
export * from "./RespValue.ts"
