/**
 * What a decoder accepts before it considers the server broken.
 *
 * @since 0.1.0
 */

/**
 * The limits of a decoder, which protect the client from a server that lies or
 * is not Redis at all.
 *
 * @category options
 * @since 0.1.0
 */
export interface DecodeOptions {
  /** How deep aggregates may nest, 128 by default. */
  readonly maxDepth?: number | undefined
  /** Bytes of one bulk string, 512 MiB by default, which is the server's own `proto-max-bulk-len`. */
  readonly maxBulkLength?: number | undefined
  /** Elements of one array, set or push, and pairs of one map, 2²⁷ by default. */
  readonly maxAggregateLength?: number | undefined
  /**
   * Bytes of a line, which is a length, a number, a simple string or an error, and of a blob error. 1 MiB by default, as a
   * script may return a long status; at least 64.
   */
  readonly maxLineLength?: number | undefined
  /**
   * Bytes of one whole reply as it comes, and 96 for each of its aggregates and 64 for each of their elements, which is
   * about what they take in memory. 1 GiB by default, at least 64. `Infinity` turns it off.
   */
  readonly maxReplyBytes?: number | undefined
  /**
   * Elements of all aggregates of one whole reply, keys and values of maps each. No limit of its own by default: what
   * `maxReplyBytes` charges for each comes to 16 million.
   */
  readonly maxReplyElements?: number | undefined
  /** Whether a value that came with attributes is an `Attributed` (`"keep"`, the default) or the bare value (`"drop"`). */
  readonly attributes?: "keep" | "drop" | undefined
  /**
   * Whether a push in the middle of a reply is a part of it (`"keep"`, the default), or stands before it (`"apart"`), as it
   * does where servers put it in by mistake.
   */
  readonly pushes?: "keep" | "apart" | undefined
}

/** V8's strings must not exceed 2²⁹ − 24 characters. */
const LONGEST_LINE = 2 ** 28

/**
 * The options with their defaults.
 *
 * @internal
 */
export class Limits {
  readonly maxDepth: number
  readonly maxBulkLength: number
  readonly maxAggregateLength: number
  readonly maxLineLength: number
  readonly maxReplyBytes: number
  readonly maxReplyElements: number
  /** No bulk string up to this length can exceed a limit, even with its own length and line ends. */
  readonly fastBulkLength: number

  constructor(options: DecodeOptions | undefined) {
    this.maxDepth = options?.maxDepth ?? 128
    this.maxBulkLength = options?.maxBulkLength ?? 512 * 1024 * 1024
    this.maxAggregateLength = Math.min(options?.maxAggregateLength ?? 2 ** 27, 2 ** 29)
    this.maxLineLength = Math.max(64, Math.min(options?.maxLineLength ?? 1024 * 1024, LONGEST_LINE))
    this.maxReplyBytes = Math.max(options?.maxReplyBytes ?? 1024 * 1024 * 1024, 64)
    this.maxReplyElements = options?.maxReplyElements ?? Infinity
    this.fastBulkLength = Math.min(this.maxBulkLength, this.maxReplyBytes - 32)
  }
}
