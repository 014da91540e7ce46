/**
 * Reads a socket: decodes what comes, and gives each reply to its request.
 */
import * as Effect from "effect/Effect"
import type { Reader } from "../../RedisConnector.ts"
import { ProtocolError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import type { RespDecoder } from "../../RespDecoder.ts"
import type { Value } from "../../RespValue.ts"
import { encodeUtf8 } from "../codec/utf8.ts"
import { Pace, pause } from "../runtime/pace.ts"
import type { Exchange } from "./exchange.ts"
import type { Listener } from "./model.ts"
import { answeredWithTls, isTlsAlert, lossOf } from "./socketFailure.ts"
import type { Target } from "./socketFailure.ts"

interface Ends {
  readonly reader: Reader
  readonly decoder: RespDecoder
  readonly exchange: Exchange
  readonly target: Target
  readonly onRead: Listener["onRead"]
}

export class Reading {
  readonly #ends: Ends
  readonly #pace = new Pace()
  /** What has come, and the number of its chunks that were begun. */
  #chunks: ReadonlyArray<Uint8Array | string> = []
  #begun = 0
  /** The chunk that is being read. */
  #chunk: Uint8Array | undefined = undefined
  /** What was decoded of it last, and the number of the values that were given. */
  #values: ReadonlyArray<Value> = []
  #given = 0
  /** Whether anything had been answered when it came. */
  #answered = false
  /** Whether a long reply goes on in it. */
  #long = false

  /** Whether the rest of the chunk waits for the next turn of the event loop. */
  isResting = false

  constructor(ends: Ends) {
    this.#ends = ends
  }

  /** Reads until the connection is lost, and fails with the reason. */
  get untilLost(): Effect.Effect<never, CommandError> {
    const { exchange, reader, target } = this.#ends
    const next = Effect.flatMap(reader.pull, (chunks) => {
      this.#chunks = chunks
      return this.#read()
    })
    return Effect.forever(
      Effect.catchTag(next, "SocketError", (error) => Effect.fail(lossOf(error, target, exchange.received > 0))),
      { disableYield: true }
    )
  }

  /** Suspends until everything that has come is given. To end the exchange before that would lose answers that are here. */
  readonly caughtUp: Effect.Effect<void> = Effect.suspend(() =>
    this.#chunk === undefined || this.#ends.exchange.closed
      ? Effect.void
      : Effect.andThen(Effect.yieldNow, this.caughtUp)
  )

  /** Reads to the end of the chunks that have come, or until callers get a turn. */
  #read(): Effect.Effect<void, CommandError> {
    const { decoder, exchange, onRead } = this.#ends
    while (this.#chunk !== undefined || this.#begun < this.#chunks.length) {
      const chunk = this.#chunk ?? this.#begin()
      this.#given = exchange.receive(this.#values, this.#given)
      if (exchange.rests && (decoder.paused || this.#given < this.#values.length)) return this.#rest()
      if (decoder.paused) {
        exchange.gather(decoder)
        decoder.alike = exchange.alike
        this.#values = decoder.resume(chunk)
        this.#given = 0
      } else {
        const failure = this.#end(chunk)
        if (failure !== undefined) return Effect.fail(failure)
      }
    }
    // A connection that is idle has no memory of its own.
    this.#chunks = []
    this.#begun = 0
    return onRead?.() ?? this.#pace.pause ?? Effect.void
  }

  #begin(): Uint8Array {
    const { decoder, exchange } = this.#ends
    // There is one more.
    const chunk = bytesOf(this.#chunks[this.#begun++]!)
    this.#answered = exchange.received > 0
    this.#long = decoder.long
    if (this.#long) this.#pace.begin()
    decoder.alike = exchange.alike
    this.#values = decoder.push(chunk)
    this.#given = 0
    return this.#chunk = chunk
  }

  #rest(): Effect.Effect<void, CommandError> {
    if (this.#long) this.#pace.end()
    this.isResting = true
    return Effect.flatMap(pause, () => {
      this.isResting = false
      if (this.#long) this.#pace.begin()
      return this.#read()
    })
  }

  #end(chunk: Uint8Array): CommandError | undefined {
    const { decoder, exchange, reader, target } = this.#ends
    this.#chunk = undefined
    this.#values = []
    if (decoder.long || decoder.longString) exchange.gather(decoder)
    if (decoder.spent) reader.release?.(chunk)
    if (this.#long) this.#pace.end()
    if (decoder.failure === undefined) return undefined
    return !this.#answered && isTlsAlert(chunk)
      ? answeredWithTls(target)
      : new ProtocolError({ detail: decoder.failure.detail, address: target.address })
  }
}

/** A chunk of a socket, of which those of other protocols may be text. */
const bytesOf = (chunk: Uint8Array | string): Uint8Array => typeof chunk === "string" ? encodeUtf8(chunk) : chunk
