/**
 * Pairs requests with replies on one connection. No Effect and no I/O in here:
 * the connection's writer takes bytes out, its reader puts replies in.
 *
 * Invariants: a request's commands are encoded without another's in between;
 * in-flight requests are in the order of their bytes; every encoded command
 * takes exactly one reply, whether or not its caller is still there; memory of a
 * caller's is only with the socket while the caller waits.
 */
import { ProtocolError } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import * as Resp from "../../Resp.ts"
import type { RespDecoder } from "../../RespDecoder.ts"
import { RespEncoder } from "../../RespEncoder.ts"
import { besides, connectionLoss } from "../error/events.ts"
import { InFlight } from "./inFlight.ts"
import { RequestQueue } from "./request.ts"
import type { Origin, Request } from "./request.ts"

export interface ExchangeOptions {
  readonly origin: Origin & { readonly address: string }
  /** Bounds of what is in flight. One request is always admitted. */
  readonly maxCommands: number
  readonly maxBytes: number
  /** Called when there is something to write. */
  readonly onWork: () => void
  /** Called when what there is to write should not wait any longer. */
  readonly onFlush: () => void
  /** Called with out-of-band data; returns whether it is the answer to the command in front after all. */
  readonly onPush: (items: ReadonlyArray<Resp.Value>) => boolean
  /** Whether arrays are out-of-band data as well: a subscriber gets its messages so where there is no push. */
  readonly subscriber?: boolean | undefined
  /** Called with each reply and whether one is owed; returns whether it is one that no command asked for. */
  readonly onUnasked?: ((value: Resp.Value, owed: boolean) => boolean) | undefined
  /** Called once, with what ended the exchange and the requests of which nothing was written. */
  readonly onClose: (failure: CommandError, unsent: RequestQueue) => void
}

/**
 * After how many replies of one chunk the commands that their callers have sent
 * meanwhile are written: the server then works while the rest is decoded. A
 * write costs as much as 15 to 30 commands. With 32 instead of 256 a GET takes
 * 12 % more CPU with 50 fibers, 18 % more with 200, and with 1000 the same.
 */
const flushAfter = (replies: number): number => Math.max(256, replies >> 2)

/** Bytes after which a write is handed over, so that a huge pipeline does not become one giant buffer. */
const writeSize = 1024 * 1024

/** Bytes in a millisecond that a network takes at the least: what is still on its way cannot be answered. */
const slowestUpload = 1000

// `Array.isArray` does not narrow readonly arrays.
const isArray = (value: Resp.Value): value is ReadonlyArray<Resp.Value> => Array.isArray(value)

/** Requests whose memory the socket holds: one that goes away ends the connection. */
class Lending extends RequestQueue {
  readonly #onGone: () => void

  constructor(onGone: () => void) {
    super()
    this.#onGone = onGone
  }

  override remove(request: Request): void {
    super.remove(request)
    this.#onGone()
  }

  override release(request: Request): void {
    super.remove(request)
  }

  /** Says that the socket has taken everything. */
  end(): void {
    for (let request = this.first; request !== undefined; request = this.first) this.release(request)
  }
}

export class Exchange {
  readonly #options: ExchangeOptions
  readonly #waiting = new RequestQueue()
  readonly #inFlight = new InFlight()
  readonly #encoder = new RespEncoder()
  /** The requests of which the socket holds memory of their callers'. */
  readonly #lending = new Lending(() => this.close(this.#torn()))
  #commands = 0
  #bytes = 0
  #written = 0
  #received = 0
  #replies = 0
  #failure: CommandError | undefined = undefined
  #leaving: CommandError | undefined = undefined

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** The number of requests not written yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** The number of commands written and not answered. */
  get inFlight(): number {
    return this.#commands
  }

  /** The number of commands written so far. */
  get written(): number {
    return this.#written
  }

  /** How often anything has come from the server: a reply, or a piece of one. */
  get received(): number {
    return this.#received
  }

  /** How many replies have come in full. */
  get replies(): number {
    return this.#replies
  }

  /** Whether the caller to whom the next reply belongs has gone away, as its time was up for instance. */
  get abandoned(): boolean {
    return this.#commands > 0 && this.#inFlight.first?.settled === true
  }

  /** Sets what one command may take that is written from now on. */
  limit({ argumentBytes, argumentCount }: { readonly argumentBytes: number; readonly argumentCount: number }): void {
    this.#encoder.maxBytes = argumentBytes
    this.#encoder.maxWords = argumentCount
  }

  /** Whether nothing is waiting and nothing unanswered, so that somebody else can have it. */
  get idle(): boolean {
    return this.#commands === 0 && this.#waiting.length === 0 && this.#leaving === undefined
  }

  /**
   * For how many milliseconds the server may hold back its next answer, what was written having to reach it first;
   * `undefined` when it owes none.
   */
  get heldBack(): number | undefined {
    const first = this.#commands > 0 ? this.#inFlight.first : undefined
    return first === undefined ? undefined : first.blockMilliseconds + Math.floor(this.#bytes / slowestUpload)
  }

  get closed(): boolean {
    return this.#failure !== undefined
  }

  /** Takes a request: it settles with its replies, or with what ended the exchange. */
  readonly submit = (request: Request): void => {
    if (this.#failure !== undefined) return request.fail(this.#failure)
    this.#waiting.push(request)
    this.#options.onWork()
  }

  /** Encodes what the limits admit and takes the bytes. To be called when the socket has taken those before. */
  encode(): ReadonlyArray<Uint8Array | string> {
    this.#lending.end()
    let request = this.#waiting.first
    while (request !== undefined && this.#admits(request) && this.#encoder.size < writeSize) {
      this.#encodeSome(request)
      if (request.written < request.count) break
      this.#waiting.remove(request)
      if (this.#encoder.lent) this.#lend(request)
      request = this.#waiting.first
    }
    return this.#encoder.size === 0 ? [] : this.#encoder.take()
  }

  /** Whether there is something to write and the limits admit it. */
  get writable(): boolean {
    const first = this.#waiting.first
    return first !== undefined && this.#admits(first)
  }

  #admits(request: Request): boolean {
    const { maxBytes, maxCommands } = this.#options
    if (this.#leaving !== undefined && request.written === 0) return false
    if (this.#commands === 0) return true
    if (this.#commands >= maxCommands) return false
    return this.#bytes < maxBytes || request.written > 0
  }

  #encodeSome(request: Request): void {
    const encoder = this.#encoder
    if (request.written === 0) this.#inFlight.push(request)
    // What is written in several parts could be given up between two of them.
    encoder.lend = request.count === 1
    const before = encoder.size
    do {
      request.encode(encoder, this.#options.origin)
      request.written++
      this.#written++
      this.#commands++
    } while (request.written < request.count && this.#commands < this.#options.maxCommands && encoder.size < writeSize)
    const bytes = encoder.size - before
    this.#inFlight.addBytes(bytes)
    this.#bytes += bytes
  }

  receive(values: ReadonlyArray<Resp.Value>): void {
    this.#received++
    const origin = this.#options.origin
    const flush = flushAfter(values.length)
    let untilFlush = flush
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      if (value instanceof Resp.Push) {
        if (!this.#options.onPush(value.items)) continue
      } else if (this.#options.subscriber === true && isArray(value) && !this.#options.onPush(value)) {
        continue
      }
      const request = this.#owed()
      const owed = request !== undefined && request.answered !== request.written
      if (this.#options.onUnasked?.(value, owed) === true) continue
      if (!owed) {
        // A caller resumed by an earlier reply may have closed the connection: then the rest is nobody's.
        if (this.#failure === undefined) this.close(this.#unexpected())
        return
      }
      this.#commands--
      this.#replies++
      if (++request.answered === request.count) this.#shift(request)
      request.reply(value, origin)
      if (--untilFlush === 0) {
        untilFlush = flush
        if (this.writable) this.#options.onFlush()
      }
    }
    if (this.writable) this.#options.onWork()
    else if (this.#leaving !== undefined) this.#leaveWhenDone(this.#leaving)
  }

  /** Has what has come of a reply read, by the command that it is for. To be called when what came before was received. */
  gather(decoder: RespDecoder): void {
    const { onUnasked, origin, subscriber } = this.#options
    // There what comes need not be an answer.
    if (subscriber === true || onUnasked !== undefined) return
    const request = this.#owed()
    if (request === undefined || request.answered === request.written) return
    const reader = request.reader(origin)
    if (reader !== undefined) decoder.gather(reader)
  }

  /** Why it takes nothing more, from when it was told to leave on. */
  get leaving(): CommandError | undefined {
    return this.#leaving
  }

  /** Writes nothing more but what is written in part, and ends when all that was written has its answers. */
  leave(failure: CommandError): void {
    if (this.#leaving !== undefined || this.#failure !== undefined) return
    this.#leaving = failure
    // Not at once: what the same read brought for others still has to reach them.
    queueMicrotask(() => this.#leaveWhenDone(failure))
  }

  #leaveWhenDone(failure: CommandError): void {
    if (this.#commands === 0 && !this.writable) this.close(failure)
  }

  /** The request that the next reply belongs to. */
  #owed(): Request | undefined {
    let request = this.#inFlight.first
    // A batch that was given up between two writes may have been complete since.
    while (request !== undefined && request.answered === request.count) {
      this.#shift(request)
      request = this.#inFlight.first
    }
    return request
  }

  #shift(request: Request): void {
    this.#bytes -= this.#inFlight.firstBytes
    this.#inFlight.shift()
    // Whoever answers has read it.
    if (request.queue === this.#lending) this.#lending.release(request)
  }

  #lend(request: Request): void {
    this.#encoder.lent = false
    this.#lending.push(request)
  }

  /**
   * The caller of a large argument went away while the socket writes it, and may use its memory for something else: the
   * server would store a mixture. To copy every large argument instead would make it cost four to seven times as much.
   */
  #torn(): CommandError {
    return connectionLoss(
      "Closed",
      "The client closed the connection, as a large argument was written in part when its caller was interrupted",
      this.#options.origin.address
    )
  }

  #unexpected(): ProtocolError {
    return new ProtocolError({ detail: "a reply that no command asked for", address: this.#options.origin.address })
  }

  /** Ends the exchange: what was not written goes back to the owner, what was fails. */
  close(failure: CommandError): void {
    if (this.#failure !== undefined) return
    this.#failure = failure
    this.#lending.end()
    const unsent = new RequestQueue()
    for (const request of this.#waiting.takeAll()) {
      // A request written in part is in flight as well, and fails with that.
      if (request.written === 0) unsent.push(request)
    }
    this.#commands = 0
    this.#bytes = 0
    // The owner first: a caller that fails may retry on the spot, and must not come back here.
    this.#options.onClose(failure, unsent)
    const others = besides(failure)
    let own = failure
    for (let request = this.#inFlight.shift(); request !== undefined; request = this.#inFlight.shift()) {
      request.fail(own)
      own = others
    }
  }
}
