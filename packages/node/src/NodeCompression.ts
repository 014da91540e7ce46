/**
 * Compresses what keyspaces, streams and channels store, with `node:zlib`.
 *
 * The first written byte says how the rest is stored: 0 is plain, 1 gzip, 2 Brotli, 3 Zstandard. So a codec can read
 * values of every algorithm, whichever one it writes. Bytes that begin with anything else are returned unchanged: they
 * were written before compression was added, as no JSON begins with one of these bytes.
 *
 * **Example** (Pages that take less memory)
 *
 * ```ts
 * import { RedisKeyspace } from "@redfx/core"
 * import { NodeCompression } from "@redfx/node"
 * import { Schema } from "effect"
 *
 * export const pages = RedisKeyspace.make({
 *   key: "page:*",
 *   value: Schema.Struct({ title: Schema.String, body: Schema.String }),
 *   codec: NodeCompression.make()
 * })
 * ```
 *
 * @since 0.1.0
 */
import { CodecError } from "@redfx/core/RedisCodec"
import type { RedisCodec } from "@redfx/core/RedisCodec"
import * as Effect from "effect/Effect"
import * as Builtin from "./internal/builtin.ts"
import { isWhole } from "./internal/zstdFrame.ts"

/**
 * How bytes are compressed.
 *
 * @category models
 * @since 0.1.0
 */
export type Algorithm = "gzip" | "brotli" | "zstd"

/**
 * Options of {@link make}.
 *
 * @category options
 * @since 0.1.0
 */
export interface CompressionOptions {
  /** Default `"zstd"` if the runtime has it, as Node.js has since 22.15, else `"gzip"`. */
  readonly algorithm?: Algorithm | undefined
  /**
   * Values of fewer bytes are stored plain. Default 1024. Values that compression does not make smaller are stored plain
   * too.
   */
  readonly threshold?: number | undefined
  /**
   * How many bytes a value may have, before compression and after decompression. A larger value fails with `CodecError`: it is
   * neither written, nor held in memory where it was. `Infinity` is no limit; what is no number of bytes fails all values.
   * Default 64 MiB.
   */
  readonly maxSize?: number | undefined
}

/**
 * Creates a codec that compresses values. The work does not run on the thread of the event loop.
 *
 * **Details**
 *
 * Fails with `CodecError` for bytes that are not compressed data, that exceed `maxSize`, or whose algorithm the runtime
 * does not have. An `algorithm` option that the runtime does not have fails with the first value that needs it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: CompressionOptions = {}): RedisCodec => {
  const { algorithm = isThere("zstd") ? "zstd" : "gzip", maxSize = 64 * 1024 * 1024, threshold = 1024 } =
    // Programs without types may give `null`.
    options ?? {}
  const mark = algorithms.indexOf(algorithm) + 1
  if (!(typeof maxSize === "number" && maxSize >= 1)) return { encode: refuse("encode"), decode: refuse("decode") }
  // Node.js takes no Infinity.
  const maxOutputLength = Math.min(maxSize, Number.MAX_SAFE_INTEGER)
  return {
    encode: (bytes) =>
      bytes.length > maxSize
        // It could not be read.
        ? Effect.fail(new CodecError({ operation: "encode", detail: tooLarge }))
        : bytes.length < threshold
        ? Effect.succeed(marked(plain, bytes))
        : Effect.map(
          run("encode", algorithm, (way, done) => way.compress(bytes, done)),
          (compressed) => compressed.length < bytes.length ? marked(mark, compressed) : marked(plain, bytes)
        ),
    decode: (bytes) => {
      if (bytes[0] === plain) return Effect.succeed(bytes.subarray(1))
      const written = algorithms[(bytes[0] ?? Infinity) - 1]
      return written === undefined
        ? Effect.succeed(bytes)
        : run("decode", written, (way, done) => way.decompress(bytes.subarray(1), { maxOutputLength }, done))
    }
  }
}

/** The algorithms in the order of their marks, which begin with 1. */
const algorithms: ReadonlyArray<Algorithm> = ["gzip", "brotli", "zstd"]
const plain = 0

const tooLarge = "it is larger than it may be"

const refuse = (operation: "encode" | "decode") => (): Effect.Effect<never, CodecError> =>
  Effect.fail(new CodecError({ operation, detail: "maxSize must be a number of bytes from 1 on, or Infinity" }))

const marked = (mark: number, bytes: Uint8Array): Uint8Array => {
  const result = new Uint8Array(bytes.length + 1)
  result[0] = mark
  result.set(bytes, 1)
  return result
}

type Done = (error: Error | null, result: Uint8Array) => void

interface Way {
  readonly compress: (bytes: Uint8Array, done: Done) => void
  readonly decompress: (bytes: Uint8Array, options: { readonly maxOutputLength: number }, done: Done) => void
}

const ways: Record<Algorithm, (zlib: ReturnType<typeof Builtin.zlib>) => Way> = {
  gzip: (zlib) => ({ compress: zlib.gzip, decompress: zlib.gunzip }),
  // The default quality, 11, takes a hundred times as long as this one.
  brotli: (zlib) => ({
    compress: (bytes, done) =>
      zlib.brotliCompress(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }, done),
    decompress: zlib.brotliDecompress
  }),
  zstd: (zlib) => ({
    compress: zlib.zstdCompress,
    decompress: (bytes, options, done) =>
      zlib.zstdDecompress(
        bytes,
        options,
        (error, result) =>
          error === null && !isWhole(bytes) ? done(new Error("it is cut off"), result) : done(error, result)
      )
  })
}

/** Whether the runtime has the algorithm: Node.js has Zstandard since 22.15. */
const isThere = (algorithm: Algorithm): boolean =>
  // Programs without types may name others.
  Object.hasOwn(ways, algorithm) && typeof ways[algorithm](Builtin.zlib()).compress === "function"

const run = (
  operation: "encode" | "decode",
  algorithm: Algorithm,
  start: (way: Way, done: Done) => void
): Effect.Effect<Uint8Array, CodecError> =>
  Effect.callback((resume) => {
    const fail = (detail: string) => resume(Effect.fail(new CodecError({ operation, detail })))
    if (!isThere(algorithm)) return fail(`this runtime has no ${algorithm}`)
    start(ways[algorithm](Builtin.zlib()), (error, result) => {
      if (error === null) return resume(Effect.succeed(new Uint8Array(result)))
      const isTooLarge = "code" in error && error.code === "ERR_BUFFER_TOO_LARGE"
      fail(isTooLarge ? tooLarge : `${algorithm}: ${error.message}`)
    })
  })
