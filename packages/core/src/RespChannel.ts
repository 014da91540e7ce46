/**
 * The codec as Channels and as transforms of Streams, around the plain objects
 * `RespDecoder` and `RespEncoder`.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import type { ProtocolError } from "./internal/error/protocol.ts"
import { RespDecoder } from "./RespDecoder.ts"
import { RespEncoder } from "./RespEncoder.ts"
import type { Argument } from "./RespEncoder.ts"
import type { DecodeOptions } from "./RespLimits.ts"
import type { Value } from "./RespValue.ts"

/** Chunks to values: what was complete before a failure is emitted before it. */
const decodePull = <IE, Done>(
  upstream: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, IE, Done>,
  decoder: RespDecoder
): Pull.Pull<Arr.NonEmptyReadonlyArray<Value>, IE | ProtocolError, Done> => {
  const push = (chunks: Arr.NonEmptyReadonlyArray<Uint8Array>): ReadonlyArray<Value> => {
    if (chunks.length === 1) return decoder.push(chunks[0])
    const values: Array<Value> = []
    for (const chunk of chunks) {
      for (const value of decoder.push(chunk)) values.push(value)
    }
    return values
  }
  const pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Value>, IE | ProtocolError, Done> = Effect.suspend(() =>
    decoder.failure !== undefined ? Effect.fail(decoder.failure) : Pull.matchEffect(upstream, {
      onSuccess: (chunks) => {
        const values = push(chunks)
        return Arr.isReadonlyArrayNonEmpty(values) ? Effect.succeed(values) : pull
      },
      onFailure: Effect.failCause,
      onDone: (done): Pull.Pull<never, ProtocolError, Done> => {
        decoder.end()
        return decoder.failure !== undefined ? Effect.fail(decoder.failure) : Cause.done(done)
      }
    })
  )
  return pull
}

/**
 * Creates a Channel that decodes chunks of bytes into RESP values.
 *
 * **Details**
 *
 * Fails with `ProtocolError` on malformed bytes, on an exceeded limit, and when the input ends in the middle of a
 * value. The values that were complete before are emitted first.
 *
 * **Gotchas**
 *
 * Bulk strings are views of the input, so its chunks must not be written to again.
 *
 * @category channels
 * @since 0.1.0
 */
export const decodeChannel = <IE = never, Done = unknown>(options?: DecodeOptions): Channel.Channel<
  Arr.NonEmptyReadonlyArray<Value>,
  IE | ProtocolError,
  Done,
  Arr.NonEmptyReadonlyArray<Uint8Array>,
  IE,
  Done
> => Channel.fromTransform((upstream, _scope) => Effect.sync(() => decodePull(upstream, new RespDecoder(options))))

/**
 * Creates a Channel that encodes commands, each an array of its arguments, into
 * chunks of bytes.
 *
 * **Details**
 *
 * The commands of one input array are written together, short ones into one chunk. The output is in order and its
 * chunks are never written to again.
 *
 * @category channels
 * @since 0.1.0
 */
export const encodeChannel = <IE = never, Done = unknown>(): Channel.Channel<
  Arr.NonEmptyReadonlyArray<Uint8Array>,
  IE,
  Done,
  Arr.NonEmptyReadonlyArray<ReadonlyArray<Argument>>,
  IE,
  Done
> =>
  Channel.fromTransform((upstream, _scope) =>
    Effect.sync(() => {
      const encoder = new RespEncoder()
      return Effect.map(upstream, (commands) => {
        for (const command of commands) {
          encoder.array(command.length)
          for (const argument of command) encoder.argument(argument)
        }
        // Every command writes at least its own length, so there is a chunk.
        return encoder.takeBytes() as Arr.NonEmptyArray<Uint8Array>
      })
    })
  )

/**
 * Decodes a Stream of bytes into RESP values: `Stream.pipe(bytes, Resp.decode())`.
 *
 * **Details**
 *
 * The input may be cut anywhere. Fails with `ProtocolError` on malformed bytes, on an exceeded limit, and when the
 * input ends in the middle of a value, after the values that were complete before.
 *
 * **Example** (Two replies in three chunks)
 *
 * ```ts
 * import { Resp } from "@redfx/core"
 * import { Effect, Stream } from "effect"
 *
 * const bytes = Stream.make("+O", "K\r\n:4", "2\r\n").pipe(Stream.encodeText)
 *
 * const program = bytes.pipe(Resp.decode(), Stream.runCollect)
 *
 * Effect.runPromise(program).then(console.log) // [ 'OK', 42 ]
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const decode =
  (options?: DecodeOptions) =>
  <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Value, E | ProtocolError, R> =>
    Stream.pipeThroughChannel(self, decodeChannel<E>(options))

/**
 * Encodes a Stream of commands, each an array of its arguments, into bytes.
 *
 * **Example** (One command)
 *
 * ```ts
 * import { Resp } from "@redfx/core"
 * import { Effect, Stream } from "effect"
 *
 * const program = Stream.make(["SET", "key", 1]).pipe(Resp.encode, Stream.decodeText(), Stream.mkString)
 *
 * Effect.runPromise(program).then(console.log) // *3 $3 SET $3 key $1 1, on lines of their own
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const encode = <E, R>(
  self: Stream.Stream<ReadonlyArray<Argument>, E, R>
): Stream.Stream<Uint8Array, E, R> => Stream.pipeThroughChannel(self, encodeChannel<E>())
