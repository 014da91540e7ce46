import { assert, describe, it } from "@effect/vitest"
import * as Exit from "effect/Exit"
import * as fc from "fast-check"
import { encodeUtf8 } from "../../src/internal/codec/utf8.ts"
import type { Outcome } from "../../src/internal/command/weave.ts"
import { BatchRequest } from "../../src/internal/connection/batchRequest.ts"
import { Exchange } from "../../src/internal/connection/exchange.ts"
import type { Request, RequestQueue } from "../../src/internal/connection/request.ts"
import { asking, SingleRequest } from "../../src/internal/connection/singleRequest.ts"
import { connectionLoss } from "../../src/internal/error/events.ts"
import { errorIn } from "../../src/internal/runtime/firstError.ts"
import * as RedisCommand from "../../src/RedisCommand.ts"
import type { CommandError } from "../../src/RedisError.ts"
import * as Resp from "../../src/Resp.ts"
import { RespDecoder } from "../../src/RespDecoder.ts"

/** What a test knows of a request: the texts it echoes, and what came of each. */
interface Tracked {
  readonly texts: ReadonlyArray<string>
  readonly atomic: boolean
  readonly request: Request
  cancelled: boolean
  outcomes: ReadonlyArray<Outcome> | undefined
  settledTimes: number
}

const echo = (text: string) => RedisCommand.send("ECHO", text)

const track = (texts: ReadonlyArray<string>, atomic = false): Tracked => {
  const settle = (outcomes: ReadonlyArray<Outcome>) => {
    tracked.settledTimes++
    tracked.outcomes = [...outcomes]
  }
  const request = texts.length === 1
    ? new SingleRequest(echo(texts[0]!), undefined, (exit: Exit.Exit<unknown, CommandError>) => settle([exit]))
    : new BatchRequest(
      { commands: texts.map(echo), atomic },
      undefined,
      (exit) => settle(Exit.isSuccess(exit) ? exit.value : [])
    )
  const tracked: Tracked = { texts, atomic, request, cancelled: false, outcomes: undefined, settledTimes: 0 }
  return tracked
}

/** A server that echoes, and remembers the order in which it was asked. */
class EchoServer {
  readonly #requests = new RespDecoder()
  readonly asked: Array<string> = []
  #replies = new Uint8Array(0)

  receive(chunks: ReadonlyArray<Uint8Array | string>): void {
    for (const chunk of chunks) {
      for (const value of this.#requests.push(typeof chunk === "string" ? encodeUtf8(chunk) : chunk)) {
        assert(Array.isArray(value))
        const text = String(value[1])
        this.asked.push(text)
        this.#replies = Buffer.concat([this.#replies, encodeUtf8(`$${text.length}\r\n${text}\r\n`)])
      }
    }
  }

  /** Takes some of the bytes that are ready, so that replies are cut anywhere. */
  send(most: number): Uint8Array {
    const bytes = this.#replies.slice(0, most)
    this.#replies = this.#replies.slice(bytes.length)
    return bytes
  }

  get silent(): boolean {
    return this.#replies.length === 0
  }
}

const closed = connectionLoss("Closed", "The server closed the connection", "test:1")

const makeExchange = (
  limits: { readonly maxCommands: number; readonly maxBytes: number },
  flush: (exchange: Exchange) => void = () => {},
  done?: () => boolean
) => {
  const unsent: Array<Request> = []
  let closings = 0
  const exchange: Exchange = new Exchange({
    origin: { address: "test:1", textDecoding: "strict" },
    ...limits,
    done,
    onWork: () => {},
    onFlush: () => flush(exchange),
    onPush: () => false,
    onClose: (_, queue: RequestQueue) => {
      closings++
      unsent.push(...queue.takeAll())
    }
  })
  return { exchange, unsent, closings: () => closings }
}

/** Gives values to an exchange, also where it rests between them. */
const receive = (exchange: Exchange, values: ReadonlyArray<Resp.Value>): void => {
  let given = 0
  do given = exchange.receive(values, given)
  while (given < values.length)
}

type Step =
  | { readonly _tag: "Submit"; readonly size: number; readonly atomic: boolean }
  | { readonly _tag: "Cancel"; readonly which: number }
  | { readonly _tag: "TimeOut"; readonly which: number }
  | { readonly _tag: "Encode" }
  | { readonly _tag: "Receive"; readonly bytes: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constant("Submit" as const),
      size: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(70)),
      atomic: fc.boolean()
    })
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Cancel" as const), which: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("TimeOut" as const), which: fc.nat(50) }) },
  { weight: 3, arbitrary: fc.constant<Step>({ _tag: "Encode" }) },
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constant("Receive" as const),
      bytes: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(2000))
    })
  }
)

const limits = fc.record({ maxCommands: fc.integer({ min: 1, max: 120 }), maxBytes: fc.integer({ min: 1, max: 4000 }) })

/** Every outcome that a caller got is its own, and says truly whether the command was written. */
const checkOutcomes = (tracked: Tracked, asked: ReadonlySet<string>): void => {
  if (tracked.outcomes === undefined) return
  assert.strictEqual(tracked.outcomes.length, tracked.texts.length)
  tracked.outcomes.forEach((outcome, index) => {
    const text = tracked.texts[index]!
    if (outcome._tag === "Success") return assert.strictEqual(outcome.value, text)
    const reason = outcome.cause.reasons[0]
    assert(reason?._tag === "Fail" && "delivery" in reason.error)
    if (reason.error.delivery === "not-sent") assert(!asked.has(text), `${text} was sent after all`)
    else assert(tracked.atomic || asked.has(text), `${text} was never sent`)
  })
}

describe("Exchange", () => {
  it("POOL-03: gives each reply to its own request, whatever is cancelled, cut or closed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), limits, fc.boolean(), (steps, limits, close) => {
        const server = new EchoServer()
        // Writes while replies are still being handed out, as a connection does.
        const { closings, exchange, unsent } = makeExchange(limits, (exchange) => server.receive(exchange.encode()))
        const decoder = new RespDecoder()
        const all: Array<Tracked> = []
        const writtenWhenCancelled = new Map<string, boolean>()
        const giveUp = (tracked: Tracked | undefined, how: (tracked: Tracked) => void) => {
          if (tracked === undefined || tracked.request.settled) return
          const { written } = tracked.request
          // What is atomic is written to its end once it is begun; only a closed exchange may keep it from that.
          const begun = tracked.atomic && tracked.texts.length > 1 && written > 0
          if (!begun || !close) {
            tracked.texts.forEach((text, index) => writtenWhenCancelled.set(text, begun || index < written))
          }
          how(tracked)
        }
        const cancel = (tracked: Tracked) => {
          tracked.cancelled = true
          tracked.request.cancel()
        }
        const encode = () => {
          server.receive(exchange.encode())
          assert.isAtMost(exchange.inFlight, limits.maxCommands)
        }
        for (const step of steps) {
          switch (step._tag) {
            case "Submit": {
              const tracked = track(Array.from({ length: step.size }, (_, i) => `${all.length}.${i}`), step.atomic)
              all.push(tracked)
              exchange.submit(tracked.request)
              break
            }
            case "Cancel":
              giveUp(all[step.which % (all.length || 1)], cancel)
              break
            case "TimeOut":
              giveUp(all[step.which % (all.length || 1)], ({ request }) => request.fail(closed))
              break
            case "Encode":
              encode()
              break
            case "Receive":
              receive(exchange, decoder.push(server.send(step.bytes)))
          }
          assert.isFalse(exchange.closed)
        }
        if (close) exchange.close(closed)
        else {
          do {
            encode()
            receive(exchange, decoder.push(server.send(Infinity)))
          } while (exchange.writable || !server.silent)
          assert.isTrue(exchange.idle)
        }
        assert.deepStrictEqual([exchange.waiting, exchange.inFlight], [0, 0])
        assert.strictEqual(closings(), close ? 1 : 0)
        const asked = new Set(server.asked)
        assert.strictEqual(asked.size, server.asked.length, "nothing is sent twice")
        for (const tracked of all) {
          const handedBack = unsent.includes(tracked.request)
          assert.strictEqual(tracked.settledTimes, tracked.cancelled || handedBack ? 0 : 1)
          if (handedBack) assert(tracked.texts.every((text) => !asked.has(text)))
          checkOutcomes(tracked, asked)
        }
        for (const [text, written] of writtenWhenCancelled) assert.strictEqual(asked.has(text), written)
        // First come, first served, and a batch is never interleaved with another request.
        const order = server.asked.map((text) => text.split(".").map(Number) as [number, number])
        for (let i = 1; i < order.length; i++) {
          const [before, now] = [order[i - 1]!, order[i]!]
          assert(now[0] > before[0] || (now[0] === before[0] && now[1] === before[1] + 1))
        }
      }),
      { numRuns: 500 }
    )
  })

  it("says how many of the next replies are for one caller, where they are many", () => {
    const { exchange } = makeExchange({ maxCommands: 100, maxBytes: 10_000 })
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`)
    for (const text of texts) exchange.submit(track([text]).request)
    exchange.submit(track(texts).request)
    assert.strictEqual(exchange.alike, 0)
    exchange.encode()
    assert.strictEqual(exchange.alike, 0)
    receive(exchange, texts.slice(1))
    assert.strictEqual(exchange.alike, 0)
    receive(exchange, ["the last of them"])
    assert.strictEqual(exchange.alike, 20)
    receive(exchange, texts.slice(0, 12))
    assert.strictEqual(exchange.alike, 8)
    receive(exchange, ["one more"])
    assert.strictEqual(exchange.alike, 0)
  })

  it("a reply that nobody asked for is no reply to the rest of a batch that is yet to be written", () => {
    const { exchange } = makeExchange({ maxCommands: 2, maxBytes: 1000 })
    const batch = track(["a", "b", "c", "d"])
    exchange.submit(batch.request)
    exchange.encode()
    receive(exchange, ["a", "b", "surprise"])
    const told = batch.outcomes?.map((outcome) => {
      const error = errorIn(outcome)
      return error === undefined || error._tag !== "ConnectionError" ? error?._tag : error.delivery
    })
    assert.deepStrictEqual(told, [undefined, undefined, "not-sent", "not-sent"])
  })

  it("sends no more of a batch that is given up between two writes", () => {
    const { exchange } = makeExchange({ maxCommands: 2, maxBytes: 1000 })
    const server = new EchoServer()
    const decoder = new RespDecoder()
    const batch = track(["a", "b", "c", "d"])
    const neighbour = track(["e"])
    exchange.submit(batch.request)
    exchange.submit(neighbour.request)
    server.receive(exchange.encode())
    receive(exchange, decoder.push(server.send(Infinity)))
    batch.request.fail(closed)
    assert.isUndefined(exchange.heldBack(0))
    server.receive(exchange.encode())
    receive(exchange, decoder.push(server.send(Infinity)))
    assert.deepStrictEqual(server.asked, ["a", "b", "e"])
    assert.strictEqual(neighbour.settledTimes, 1)
    checkOutcomes(neighbour, new Set(server.asked))
    checkOutcomes(batch, new Set(server.asked))
    assert.isTrue(exchange.idle)
  })

  it("lends bytes of kilobytes to a socket that takes them at once, and to no other", async () => {
    let done: boolean | undefined = true
    const { closings, exchange } = makeExchange(
      { maxCommands: 10_000, maxBytes: 100_000_000 },
      undefined,
      () => done === true
    )
    const value = new Uint8Array(20_000)
    let last: Request | undefined
    /** Whether the socket is given the caller's own memory. */
    const lends = () => {
      exchange.submit(last = new SingleRequest(RedisCommand.send("SET", "k", value), undefined, () => {}))
      return exchange.encode().includes(value)
    }
    const answer = (count: number) => receive(exchange, Array.from({ length: count }, () => "OK"))
    /** The socket has taken all, and asks for more. */
    const taken = () => assert.deepStrictEqual(exchange.encode(), [])
    assert.isTrue(lends())
    taken()
    answer(1)
    assert.isTrue(lends())
    taken()
    // So much may lie in the buffers of the system that the next bytes have to wait.
    let count = 1
    for (; lends(); count++) taken()
    assert.isAbove(count, 8)
    taken()
    answer(count + 1)
    assert.isTrue(lends())
    // An answer comes while the socket has yet to ask: it has to wait.
    answer(1)
    taken()
    assert.isFalse(lends())
    for (let i = 0; i < 1100; i++) {
      taken()
      answer(1)
      lends()
    }
    taken()
    answer(1)
    assert.isTrue(lends())
    taken()
    // It asks, and is not done with what it was given.
    done = false
    answer(1)
    assert.isFalse(lends())
    last!.cancel()
    await Promise.resolve()
    assert.strictEqual(closings(), 0)
  })

  it("ends when a caller gives up whose memory the socket still has, in pieces and when more could be written", async () => {
    for (const gaveUp of [true, false]) {
      let done = true
      const { closings, exchange } = makeExchange({ maxCommands: 10, maxBytes: 10 }, undefined, () => done)
      const request = new SingleRequest(
        RedisCommand.send("SET", "k", new Uint8Array(2 * 1024 * 1024 + 64_000)),
        undefined,
        () => {}
      )
      exchange.submit(request)
      let length = 0
      // A socket that has taken what it was given, and is not done with it.
      for (let chunks = exchange.encode(); chunks.length > 0; chunks = exchange.encode()) {
        done = false
        for (const chunk of chunks) {
          length += chunk.length
          // Of less it takes some without saying when it is done.
          if (chunk.length > 100) assert.isAbove(chunk.length, 64 * 1024)
        }
      }
      assert.isAbove(length, 2 * 1024 * 1024 + 64_000)
      if (!gaveUp) done = true
      request.cancel()
      await Promise.resolve()
      assert.strictEqual(closings(), gaveUp ? 1 : 0)
    }
  })

  it("ends when a caller gives up of whose memory a piece has yet to be given to the socket, which is done with the others", async () => {
    const { closings, exchange } = makeExchange({ maxCommands: 10, maxBytes: 10 }, undefined, () => true)
    const value = new Uint8Array(3 * 1024 * 1024)
    const request = new SingleRequest(RedisCommand.send("SET", "k", value), undefined, () => {})
    exchange.submit(request)
    assert.isTrue(exchange.encode().some((chunk) => typeof chunk !== "string" && chunk.buffer === value.buffer))
    request.cancel()
    await Promise.resolve()
    assert.strictEqual(closings(), 1)
    assert.deepStrictEqual(exchange.encode(), [])
  })

  it("holds nothing of a caller whose command takes too much after bytes that would have been lent", async () => {
    const { closings, exchange } = makeExchange({ maxCommands: 10, maxBytes: 10 }, undefined, () => false)
    exchange.limit({ argumentBytes: 300_000, argumentCount: 10 })
    const command = RedisCommand.send("MSET", "a", new Uint8Array(200_000), "b", new Uint8Array(200_000))
    const request = new SingleRequest(command, undefined, () => {})
    exchange.submit(request)
    assert.strictEqual(exchange.encode().reduce((sum, chunk) => sum + chunk.length, 0), "*1\r\n$3\r\nGET\r\n".length)
    request.cancel()
    await Promise.resolve()
    assert.strictEqual(closings(), 0)
  })

  it("sends a batch that must not be torn apart to its end, though its caller has gone away", () => {
    const { exchange } = makeExchange({ maxCommands: 2, maxBytes: 1000 })
    const server = new EchoServer()
    const decoder = new RespDecoder()
    const batch = track(["MULTI", "a", "EXEC"], true)
    const neighbour = track(["b"])
    exchange.submit(batch.request)
    exchange.submit(neighbour.request)
    server.receive(exchange.encode())
    batch.request.fail(closed)
    while (!server.silent) {
      receive(exchange, decoder.push(server.send(Infinity)))
      server.receive(exchange.encode())
    }
    assert.deepStrictEqual(server.asked, ["MULTI", "a", "EXEC", "b"])
    checkOutcomes(batch, new Set(server.asked))
    checkOutcomes(neighbour, new Set(server.asked))
    assert.strictEqual(neighbour.settledTimes, 1)
  })

  it("CLR-04: sends a command after ASKING, though its caller has gone away in between", () => {
    const { exchange } = makeExchange({ maxCommands: 1, maxBytes: 1_000_000 })
    const server = new EchoServer()
    const asked = track(["asked"])
    const neighbour = track(["neighbour"])
    asked.request.renew({ asking: true, mayHaveRun: false })
    exchange.submit(asked.request)
    exchange.submit(neighbour.request)
    const first = exchange.encode().map((chunk) => Buffer.from(chunk).toString()).join("")
    assert.strictEqual(first, "*1\r\n$6\r\nASKING\r\n")
    asked.request.cancel()
    receive(exchange, ["OK"])
    server.receive(exchange.encode())
    receive(exchange, [new RespDecoder().push(server.send(1000))[0]!])
    server.receive(exchange.encode())
    receive(exchange, [new RespDecoder().push(server.send(1000))[0]!])
    assert.deepStrictEqual(server.asked, ["asked", "neighbour"])
    assert.isFalse(exchange.closed)
    assert.isUndefined(asked.outcomes)
    assert.strictEqual(neighbour.settledTimes, 1)
    assert.strictEqual(neighbour.outcomes?.[0]?._tag, "Success")
  })

  it.each(["interrupted", "out of time"])(
    "CLR-04: sends the command of a batch after ASKING, though its caller is %s in between",
    (how) => {
      const { exchange } = makeExchange({ maxCommands: 1, maxBytes: 1_000_000 })
      const server = new EchoServer()
      const decoder = new RespDecoder()
      let outcomes: ReadonlyArray<Outcome> = []
      const batch = new BatchRequest({ commands: [asking, echo("asked"), echo("later")] }, undefined, (exit) => {
        assert(Exit.isSuccess(exit))
        outcomes = exit.value
      })
      const neighbour = track(["neighbour"])
      exchange.submit(batch)
      exchange.submit(neighbour.request)
      const first = exchange.encode().map((chunk) => Buffer.from(chunk).toString()).join("")
      assert.strictEqual(first, "*1\r\n$6\r\nASKING\r\n")
      if (how === "interrupted") batch.cancel()
      else batch.fail(closed)
      receive(exchange, ["OK"])
      do {
        server.receive(exchange.encode())
        receive(exchange, decoder.push(server.send(1000)))
      } while (exchange.writable || !server.silent)
      assert.deepStrictEqual(server.asked, ["asked", "neighbour"])
      assert.isTrue(exchange.idle)
      assert.strictEqual(neighbour.outcomes?.[0]?._tag, "Success")
      const told = outcomes.map((outcome) => {
        const reason = outcome._tag === "Failure" ? outcome.cause.reasons[0] : undefined
        return reason?._tag === "Fail" && "delivery" in reason.error ? reason.error.delivery : undefined
      })
      assert.deepStrictEqual(told, how === "interrupted" ? [] : ["unknown", "unknown", "not-sent"])
    }
  )

  it("a redirector that breaks costs its own request, and not those behind it", () => {
    const { exchange } = makeExchange({ maxCommands: 10, maxBytes: 1_000_000 })
    const broken = track(["broken"])
    const neighbour = track(["neighbour"])
    const throwing = () => {
      throw new Error("boom")
    }
    broken.request.redirector = { onRefusal: throwing, onLoss: throwing }
    exchange.submit(broken.request)
    exchange.submit(neighbour.request)
    exchange.encode()
    receive(exchange, [new Resp.ErrorReply("MOVED 1 there:1"), "neighbour"])
    const [outcome] = broken.outcomes ?? []
    assert(outcome?._tag === "Failure")
    assert.match(String(outcome.cause), /failed to send the command elsewhere/)
    assert.strictEqual(neighbour.outcomes?.[0]?._tag, "Success")
    assert.isFalse(exchange.closed)
  })

  it.each([[["broken"]], [["broken", "too"]]])(
    "what breaks in handling a reply is told to its caller as the defect that it is: %s",
    (texts) => {
      const { exchange } = makeExchange({ maxCommands: 10, maxBytes: 1_000_000 })
      const defect = new Error("boom")
      const exits: Array<Exit.Exit<unknown, CommandError>> = []
      const broken = texts.length === 1
        ? new SingleRequest(echo("broken"), undefined, (exit) => exits.push(exit))
        : new BatchRequest({ commands: texts.map(echo) }, undefined, (exit) => exits.push(exit))
      broken.reply = () => {
        throw defect
      }
      const neighbour = track(["neighbour"])
      exchange.submit(broken)
      exchange.submit(neighbour.request)
      exchange.encode()
      receive(exchange, [...texts, "neighbour"])
      assert.deepStrictEqual(exits, [Exit.die(defect)])
      assert.strictEqual(neighbour.outcomes?.[0]?._tag, "Success")
      assert.isTrue(exchange.idle)
      assert.isFalse(exchange.closed)
    }
  )

  it("ERR-07: a reply that nobody asked for ends the exchange, and later ones are nobody's", () => {
    const { closings, exchange } = makeExchange({ maxCommands: 10, maxBytes: 1000 })
    const only = track(["a"])
    exchange.submit(only.request)
    exchange.encode()
    receive(exchange, ["a", "b", "c"])
    assert.strictEqual(closings(), 1)
    assert.isTrue(exchange.closed)
    checkOutcomes(only, new Set(["a"]))
    const late = track(["d"])
    exchange.submit(late.request)
    assert.strictEqual(late.outcomes?.[0]?._tag, "Failure")
  })

  it("a caller that closes the exchange while it is resumed leaves the rest of the replies to nobody", () => {
    const { exchange } = makeExchange({ maxCommands: 10, maxBytes: 1000 })
    const first = new SingleRequest(echo("a"), undefined, () => exchange.close(closed))
    const second = track(["b"])
    exchange.submit(first)
    exchange.submit(second.request)
    exchange.encode()
    receive(exchange, ["a", "b"])
    assert.strictEqual(second.settledTimes, 1)
    assert.strictEqual(second.outcomes?.[0]?._tag, "Failure")
  })

  it("counts a piece of a reply as a sign of life", () => {
    const { exchange } = makeExchange({ maxCommands: 10, maxBytes: 1000 })
    const only = track(["a"])
    exchange.submit(only.request)
    exchange.encode()
    const before = exchange.received
    receive(exchange, new RespDecoder().push(encodeUtf8("$1000\r\nthe first of many bytes")))
    assert.strictEqual(exchange.heldBack(0), 0)
    assert.isAbove(exchange.received, before)
  })

  it("passes pushes on without taking them for replies", () => {
    const pushes: Array<ReadonlyArray<Resp.Value>> = []
    const exchange = new Exchange({
      origin: { address: "test:1", textDecoding: "strict" },
      maxCommands: 10,
      maxBytes: 1000,
      onWork: () => {},
      onFlush: () => {},
      onPush: (items) => {
        pushes.push(items)
        return false
      },
      onClose: () => {}
    })
    const only = track(["a"])
    exchange.submit(only.request)
    exchange.encode()
    receive(exchange, [new Resp.Push(["invalidate", null]), "a"])
    assert.deepStrictEqual(pushes, [["invalidate", null]])
    checkOutcomes(only, new Set(["a"]))
    assert.strictEqual(only.settledTimes, 1)
  })

  const frames: ReadonlyArray<readonly [string, (items: ReadonlyArray<Resp.Value>) => Resp.Value]> = [
    ["pushes", (items) => new Resp.Push(items)],
    ["arrays", (items) => items]
  ]
  for (const [what, wrap] of frames) {
    it(`${what} of a subscriber are replies where they complete one, and messages elsewhere`, () => {
      const exchange = new Exchange({
        origin: { address: "test:1", textDecoding: "strict" },
        maxCommands: 10,
        maxBytes: 1000,
        subscriber: true,
        onWork: () => {},
        onFlush: () => {},
        onPush: (items) => items[0] === "last",
        onClose: () => {}
      })
      const [first, second] = [track(["a"]), track(["b"])]
      exchange.submit(first.request)
      exchange.submit(second.request)
      exchange.encode()
      receive(exchange, [wrap(["message", "x"]), wrap(["first", "x"]), wrap(["last", "x"]), wrap(["message", "x"])])
      assert.deepStrictEqual([first.settledTimes, second.settledTimes], [1, 0])
      receive(exchange, ["b"])
      checkOutcomes(second, new Set(["b"]))
    })
  }
})
