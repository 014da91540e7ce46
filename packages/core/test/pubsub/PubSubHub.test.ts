import { assert, describe, it } from "@effect/vitest"
import { bulk } from "@redfx/testing/FakeClient"
import { worked } from "@redfx/testing/Worked"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { encodeUtf8 } from "../../src/internal/codec/utf8.ts"
import { Exchange } from "../../src/internal/connection/exchange.ts"
import { SingleRequest } from "../../src/internal/connection/singleRequest.ts"
import { connectionLoss } from "../../src/internal/error/events.ts"
import { Hub } from "../../src/internal/pubsub/hub.ts"
import { Link } from "../../src/internal/pubsub/link.ts"
import { Mailbox } from "../../src/internal/pubsub/mailbox.ts"
import type { Element, MailboxOptions } from "../../src/internal/pubsub/mailbox.ts"
import * as PubSub from "../../src/internal/pubsub/subscriptions.ts"
import type { Receiver } from "../../src/internal/pubsub/topic.ts"
import type { Key } from "../../src/RedisArg.ts"
import * as RedisCommand from "../../src/RedisCommand.ts"
import * as RedisConfig from "../../src/RedisConfig.ts"
import type { RedisError } from "../../src/RedisError.ts"
import type { Kind } from "../../src/RedisPubSub.ts"
import * as Resp from "../../src/Resp.ts"
import { RespDecoder } from "../../src/RespDecoder.ts"

const lost = connectionLoss("Closed", "The server closed the connection", "test:1")

const makeMailbox = (options: Partial<MailboxOptions> = {}) =>
  new Mailbox({
    capacity: 100,
    capacityBytes: 1000,
    onFull: "fail",
    events: true,
    channels: () => ["all"],
    onRoom: () => {},
    ...options
  })

/** What a mailbox holds, without waiting for more. */
const taken = (mailbox: Mailbox): ReadonlyArray<Element> => {
  const exit: Exit.Exit<ReadonlyArray<Element>, RedisError | Cause.Done> = Effect.runSyncExit(mailbox.take)
  return Exit.isSuccess(exit) ? exit.value : []
}

/** An element in a word. */
const brief = (element: Element): string => {
  switch (element._tag) {
    case "Message":
      return `${element.pattern === undefined ? "" : `${element.pattern}→`}${element.channel}=${String(element.data)}`
    case "Subscribed":
      return `+${element.channel}`
    case "Lost":
      return `lost ${element.reason === "Overflow" ? element.dropped : element.channels.join()}`
    case "Restored":
      return `back ${element.channels.join()}`
  }
}

interface Station {
  readonly hub: Hub
  readonly moved: Array<string>
  /** Puts the hub on a new connection. */
  readonly connect: () => void
  /** What was written since, command by command. */
  readonly written: () => ReadonlyArray<string>
  /** What the server sends: pushes, or arrays where there are none. */
  readonly push: (...items: ReadonlyArray<string | number>) => void
  readonly reply: (value: Resp.Value) => void
  readonly exchange: () => Exchange
  readonly join: (receiver: Receiver, kind: Kind, ...keys: ReadonlyArray<Key>) => {
    readonly state: () => string
    readonly giveUp: () => void
  }
}

const makeStation = (protocol: 2 | 3): Station => {
  const moved: Array<string> = []
  const hub: Hub = new Hub({
    textDecoding: "strict",
    onDemand: () => {},
    onUnused: () => {},
    isElsewhere: () => false,
    onConfirmed: () => {},
    onMoved: (topic) => {
      moved.push(String(topic.key))
      hub.resubscribe(topic)
    }
  })
  let exchange: Exchange | undefined
  const make = () =>
    new Exchange({
      origin: { address: "test:1", textDecoding: "strict" },
      maxCommands: 100,
      maxBytes: 100_000,
      subscriber: true,
      onWork: () => {},
      onFlush: () => {},
      onPush: hub.receive,
      onUnasked: hub.unasked,
      onClose: () => {}
    })
  const receive = (value: Resp.Value) => {
    exchange!.receive([value])
    hub.flush()
  }
  return {
    hub,
    moved,
    exchange: () => exchange!,
    connect: () => {
      exchange = make()
      hub.attach(exchange)
    },
    written: () => {
      const decoder = new RespDecoder()
      return exchange!.encode().flatMap((chunk) => decoder.push(typeof chunk === "string" ? encodeUtf8(chunk) : chunk))
        .map((command) => (command as ReadonlyArray<Resp.Value>).map(String).join(" "))
    },
    push: (...items) => {
      const values = items.map((item) => typeof item === "number" ? item : bulk(item))
      receive(protocol === 3 ? new Resp.Push(values) : values)
    },
    reply: receive,
    join: (receiver, kind, ...keys) => {
      let state = "waiting"
      const giveUp = hub.join(receiver, kind, keys, (exit) => {
        state = Exit.isSuccess(exit) ? "confirmed" : "failed"
      })
      return { state: () => state, giveUp }
    }
  }
}

const receiver = (options?: Partial<MailboxOptions>): Receiver => ({ mailbox: makeMailbox(options), bytes: false })
const elements = ({ mailbox }: Receiver) => taken(mailbox).map(brief)

for (const protocol of [2, 3] as const) {
  describe(`PubSubHub, RESP${protocol}`, () => {
    it("PUB-01, PUB-04: a subscription is confirmed by the last of its confirmations, and then gets its messages", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      const channels = station.join(one, "subscribe", "a", "b")
      const patterns = station.join(one, "psubscribe", "n*")
      assert.deepStrictEqual(station.written(), ["SUBSCRIBE a b", "PSUBSCRIBE n*"])
      station.push("subscribe", "a", 1)
      assert.strictEqual(channels.state(), "waiting")
      station.push("subscribe", "b", 2)
      assert.strictEqual(channels.state(), "confirmed")
      station.push("message", "a", "1")
      station.push("psubscribe", "n*", 3)
      assert.strictEqual(patterns.state(), "confirmed")
      station.push("pmessage", "n*", "news", "2")
      assert.deepStrictEqual(elements(one), ["+a", "+b", "a=1", "+n*", "n*→news=2"])
      assert.strictEqual(station.exchange().inFlight, 0)
    })

    it("commands in between keep their own replies", () => {
      const station = makeStation(protocol)
      const one = receiver()
      const replies: Array<unknown> = []
      const ping = () =>
        station.exchange().submit(
          new SingleRequest(RedisCommand.send("PING"), undefined, (exit) =>
            replies.push(Exit.isSuccess(exit) && exit.value))
        )
      station.connect()
      ping()
      station.join(one, "subscribe", "a", "b")
      ping()
      station.written()
      station.reply("PONG")
      station.push("subscribe", "a", 1)
      station.push("message", "a", "1")
      station.push("subscribe", "b", 2)
      if (protocol === 3) station.reply("PONG")
      else station.push("pong", "")
      assert.deepStrictEqual(replies, ["PONG", protocol === 3 ? "PONG" : ["pong", ""]])
      assert.isFalse(station.hub.unconfirmed)
    })

    it("the first receiver of a channel subscribes, the last one unsubscribes", () => {
      const station = makeStation(protocol)
      const [one, two] = [receiver(), receiver()]
      station.connect()
      station.join(one, "subscribe", "a")
      const second = station.join(two, "subscribe", "a")
      assert.deepStrictEqual(station.written(), ["SUBSCRIBE a"])
      station.push("subscribe", "a", 1)
      assert.strictEqual(second.state(), "confirmed")
      assert.strictEqual(station.join(receiver(), "subscribe", "a").state(), "confirmed")
      station.push("message", "a", "1")
      for (const each of [one, two]) assert.deepStrictEqual(elements(each), ["+a", "a=1"])
      station.hub.leave(one, station.hub.topicsOf(one))
      assert.deepStrictEqual(station.written(), [])
      station.push("message", "a", "2")
      assert.deepStrictEqual(elements(one), [])
      assert.deepStrictEqual(elements(two), ["a=2"])
    })

    it("a channel that is left and joined again at once gets no message before its new confirmation", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      station.join(one, "subscribe", "a")
      station.hub.leave(one, station.hub.topicsOf(one))
      const again = station.join(one, "subscribe", "a")
      assert.deepStrictEqual(station.written(), ["SUBSCRIBE a", "UNSUBSCRIBE a", "SUBSCRIBE a"])
      station.push("subscribe", "a", 1)
      station.push("message", "a", "1")
      station.push("unsubscribe", "a", 0)
      assert.strictEqual(again.state(), "waiting")
      station.push("subscribe", "a", 1)
      station.push("message", "a", "2")
      assert.strictEqual(again.state(), "confirmed")
      assert.deepStrictEqual(elements(one), ["+a", "a=2"])
    })

    it("a refused command fails only those who asked for what is refused", () => {
      const station = makeStation(protocol)
      const [one, two, three] = [receiver(), receiver(), receiver()]
      station.connect()
      const both = station.join(one, "subscribe", "a", "secret")
      const shared = station.join(two, "subscribe", "a")
      const other = station.join(three, "subscribe", "c")
      assert.deepStrictEqual(station.written(), ["SUBSCRIBE a secret", "SUBSCRIBE c"])
      station.reply(new Resp.ErrorReply("NOPERM no channel"))
      station.push("subscribe", "c", 1)
      assert.strictEqual(other.state(), "confirmed")
      assert.deepStrictEqual(station.written(), ["SUBSCRIBE a", "SUBSCRIBE secret"])
      station.push("subscribe", "a", 2)
      station.reply(new Resp.ErrorReply("NOPERM no channel"))
      assert.deepStrictEqual([both.state(), shared.state()], ["failed", "confirmed"])
      assert.deepStrictEqual(station.written(), [])
      station.push("message", "a", "1")
      assert.deepStrictEqual(elements(one), ["+a"])
      assert.deepStrictEqual(elements(two), ["+a", "a=1"])
      assert.deepStrictEqual(station.hub.topicsOf(one), [])
    })

    it("each caller gets an error of its own", () => {
      const station = makeStation(protocol)
      const errors: Array<unknown> = []
      const settle = (exit: Exit.Exit<void, unknown>) => void errors.push(Effect.runSync(Effect.flip(exit)))
      station.connect()
      for (const each of [receiver(), receiver()]) station.hub.join(each, "subscribe", ["a"], settle)
      station.hub.close(lost)
      assert.deepStrictEqual(errors, [lost, lost])
      assert.notStrictEqual(errors[0], errors[1])
      const readers = [receiver(), receiver()]
      station.connect()
      for (const each of readers) station.join(each, "subscribe", "a")
      station.push("subscribe", "a", 1)
      station.hub.close(lost)
      for (const each of readers) elements(each)
      const [one, two] = readers.map(({ mailbox }) => Effect.runSync(Effect.flip(mailbox.take)))
      assert.deepStrictEqual([one, two], [lost, lost])
      assert.notStrictEqual(one, two)
    })

    it("PUB-10: after a loss everything is subscribed again, and each receiver learns of its own gap", () => {
      const station = makeStation(protocol)
      const [one, two] = [receiver(), receiver()]
      station.connect()
      station.join(one, "subscribe", "a", "b")
      station.join(two, "psubscribe", "p*")
      station.written()
      for (const channel of ["a", "b"]) station.push("subscribe", channel, 1)
      station.push("psubscribe", "p*", 3)
      assert.deepStrictEqual([elements(one), elements(two)], [["+a", "+b"], ["+p*"]])
      station.exchange().close(lost)
      station.hub.detach(lost)
      station.connect()
      assert.deepStrictEqual(station.written(), ["SUBSCRIBE a b", "PSUBSCRIBE p*"])
      station.push("subscribe", "a", 1)
      assert.deepStrictEqual(elements(one), ["lost a,b"])
      station.push("subscribe", "b", 2)
      station.push("message", "b", "1")
      assert.deepStrictEqual(elements(one), ["back a,b", "b=1"])
      // A second loss before all is back is the same gap.
      station.exchange().close(lost)
      station.hub.detach(lost)
      station.connect()
      station.push("psubscribe", "p*", 1)
      assert.deepStrictEqual(elements(two), ["lost p*"])
    })

    it("who waits for a confirmation fails with the connection, and wants nothing any more", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      const joining = station.join(one, "subscribe", "a")
      station.written()
      station.exchange().close(lost)
      station.hub.detach(lost)
      assert.strictEqual(joining.state(), "failed")
      assert.isTrue(station.hub.empty)
      assert.deepStrictEqual(elements(one), [])
    })

    it("very many who wait for the same channel give up, or fail, each at the same cost", () => {
      const started = worked()
      const many = 40_000
      const mailbox = makeMailbox()
      for (const fail of [false, true]) {
        const station = makeStation(protocol)
        const joining = Array.from({ length: many }, () => station.join({ mailbox, bytes: false }, "subscribe", "a"))
        if (fail) station.hub.failJoining(lost)
        else for (const { giveUp } of joining) giveUp()
        assert.isTrue(station.hub.empty)
        assert.strictEqual(joining.filter(({ state }) => state() === "failed").length, fail ? many : 0)
      }
      // It takes less than a second; with a look at all others for each, more than ten.
      assert.isBelow(worked() - started, 5000)
    })

    it("who gives up waiting unsubscribes", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      station.join(one, "subscribe", "a").giveUp()
      assert.deepStrictEqual(station.written(), ["SUBSCRIBE a", "UNSUBSCRIBE a"])
      station.push("subscribe", "a", 1)
      station.push("message", "a", "1")
      station.push("unsubscribe", "a", 0)
      assert.deepStrictEqual(elements(one), [])
      assert.strictEqual(station.exchange().inFlight, 0)
    })

    it("what is lost while something else is missing is told of as well, once", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      station.join(one, "ssubscribe", "s", "t")
      station.written()
      for (const channel of ["s", "t"]) station.push("ssubscribe", channel, 1)
      station.push("sunsubscribe", "s", 1)
      station.hub.detach(lost)
      assert.deepStrictEqual(elements(one), ["+s", "+t", "lost s", "lost t"])
      for (let time = 0; time < 3; time++) {
        station.connect()
        station.written()
        station.push("ssubscribe", "s", 1)
        station.hub.detach(lost)
      }
      station.connect()
      station.written()
      for (const channel of ["s", "t"]) station.push("ssubscribe", channel, 1)
      assert.deepStrictEqual(elements(one), ["back s,t"])
    })

    it("a server that is silent is a gap, which ends with the silence or with a new connection", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      station.join(one, "subscribe", "a")
      station.written()
      station.push("subscribe", "a", 1)
      station.hub.doubt(lost)
      station.hub.doubt(lost)
      station.push("message", "a", "late")
      station.hub.trust()
      station.hub.trust()
      assert.deepStrictEqual(elements(one), ["+a", "lost a", "a=late", "back a"])
      station.hub.doubt(lost)
      station.hub.detach(lost)
      station.connect()
      station.written()
      station.hub.trust()
      station.push("subscribe", "a", 1)
      assert.deepStrictEqual(elements(one), ["lost a", "back a"])
    })

    it("PUB-14: a shard channel that the server gives up is a gap, and is subscribed to again", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      station.join(one, "ssubscribe", "s", "t")
      station.written()
      for (const channel of ["s", "t"]) station.push("ssubscribe", channel, 1)
      station.push("sunsubscribe", "s", 1)
      assert.deepStrictEqual(station.moved, ["s"])
      assert.deepStrictEqual(station.written(), ["SSUBSCRIBE s"])
      station.push("smessage", "t", "1")
      station.push("ssubscribe", "s", 2)
      station.push("smessage", "s", "2")
      assert.deepStrictEqual(elements(one), ["+s", "+t", "lost s", "t=1", "back s", "s=2"])
      assert.isFalse(station.exchange().closed)
    })

    it("PUB-14: a shard channel that moves to another server takes its receivers and their gaps along", () => {
      const [from, to] = [makeStation(protocol), makeStation(protocol)]
      const [one, two] = [receiver(), receiver()]
      for (const station of [from, to]) station.connect()
      from.join(one, "ssubscribe", "s", "t")
      to.join(two, "ssubscribe", "s")
      for (const station of [from, to]) station.written()
      for (const channel of ["s", "t"]) from.push("ssubscribe", channel, 1)
      to.push("ssubscribe", "s", 1)
      from.exchange().close(lost)
      from.hub.detach(lost)
      const topic = from.hub.find("ssubscribe", "s")!
      to.hub.adopt(topic, from.hub.surrender(topic))
      // Subscribed to there already.
      assert.deepStrictEqual(to.written(), [])
      to.push("smessage", "s", "1")
      from.connect()
      assert.deepStrictEqual(from.written(), ["SSUBSCRIBE t"])
      from.push("ssubscribe", "t", 1)
      assert.deepStrictEqual(elements(one), ["+s", "+t", "lost s,t", "back s", "s=1", "back t"])
      assert.deepStrictEqual(elements(two), ["+s", "s=1"])
      from.hub.leave(one, from.hub.topicsOf(one))
      to.hub.leave(one, to.hub.topicsOf(one))
      assert.deepStrictEqual([from.hub.empty, to.hub.empty], [true, false])
    })

    it("a channel given up while it is being unsubscribed from does not confuse the answers", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      station.join(one, "ssubscribe", "s")
      station.written()
      station.push("ssubscribe", "s", 1)
      let left = false
      station.hub.leave(one, station.hub.topicsOf(one), () => left = true)
      station.written()
      station.push("sunsubscribe", "s", 0)
      station.push("sunsubscribe", "s", 0)
      assert.isTrue(left)
      station.reply("PONG")
      assert.deepStrictEqual(station.moved, [])
      assert.isFalse(station.exchange().closed)
      assert.strictEqual(station.exchange().inFlight, 0)
    })

    it("a channel given up unasked and then refused as an answer leaves the next answers to their commands", () => {
      const station = makeStation(protocol)
      const [one, two] = [receiver(), receiver()]
      station.connect()
      station.join(one, "ssubscribe", "s")
      station.written()
      station.push("ssubscribe", "s", 1)
      let left: Exit.Exit<void, unknown> | undefined
      station.hub.leave(one, station.hub.topicsOf(one), (exit) => left = exit)
      const other = station.join(two, "ssubscribe", "t")
      let answer: unknown
      station.exchange().submit(
        new SingleRequest(RedisCommand.send("ECHO", "x"), undefined, (exit) => {
          answer = exit
        })
      )
      assert.deepStrictEqual(station.written(), ["SUNSUBSCRIBE s", "PING", "SSUBSCRIBE t", "ECHO x"])
      station.push("sunsubscribe", "s", 0)
      assert.deepStrictEqual(left, Exit.void)
      station.reply(new Resp.ErrorReply("MOVED 1 test:2"))
      station.reply("PONG")
      assert.strictEqual(other.state(), "waiting")
      // An error that is an answer stays one.
      station.reply(new Resp.ErrorReply("MOVED 2 test:2"))
      assert.strictEqual(other.state(), "failed")
      station.reply(bulk("x"))
      assert.deepStrictEqual(answer, Exit.succeed("x"))
      assert.isFalse(station.exchange().closed)
      assert.strictEqual(station.exchange().inFlight, 0)
    })

    it("a channel given up before the command to unsubscribe was written is no answer to it", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      station.join(one, "ssubscribe", "s")
      station.written()
      station.push("ssubscribe", "s", 1)
      let left: Exit.Exit<void, unknown> | undefined
      station.hub.leave(one, station.hub.topicsOf(one), (exit) => left = exit)
      station.push("sunsubscribe", "s", 0)
      assert.isUndefined(left)
      assert.isFalse(station.exchange().closed)
      assert.deepStrictEqual(station.written(), ["SUNSUBSCRIBE s", "PING"])
      station.reply(new Resp.ErrorReply("MOVED 1 test:2"))
      station.reply("PONG")
      assert.deepStrictEqual(left, Exit.void)
      assert.strictEqual(station.exchange().inFlight, 0)
    })

    it("a channel whose slot the server says to be elsewhere is unsubscribed from", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      station.join(one, "ssubscribe", "s")
      station.written()
      station.push("ssubscribe", "s", 1)
      let left: Exit.Exit<void, unknown> | undefined
      station.hub.leave(one, station.hub.topicsOf(one), (exit) => left = exit)
      station.written()
      station.reply(new Resp.ErrorReply("MOVED 1 test:2"))
      station.reply("PONG")
      assert.deepStrictEqual(left, Exit.void)
      assert.strictEqual(station.exchange().inFlight, 0)
    })

    it("names that the server refuses to give up together are given up alone, unless they are wanted again", () => {
      const station = makeStation(protocol)
      const one = receiver()
      station.connect()
      station.join(one, "ssubscribe", "s", "t", "u")
      station.written()
      for (const name of ["s", "t", "u"]) station.push("ssubscribe", name, 1)
      let outcome: Exit.Exit<void, unknown> | undefined
      station.hub.leave(one, station.hub.topicsOf(one), (exit) => outcome = exit)
      const again = station.join(one, "ssubscribe", "t")
      assert.deepStrictEqual(station.written(), ["SUNSUBSCRIBE s t u", "PING", "SSUBSCRIBE t"])
      station.reply(new Resp.ErrorReply("CROSSSLOT Keys in request don't hash to the same slot"))
      assert.isUndefined(outcome)
      assert.deepStrictEqual(station.written(), ["SUNSUBSCRIBE s", "PING", "SUNSUBSCRIBE u", "PING"])
      station.reply("PONG")
      station.push("ssubscribe", "t", 3)
      assert.strictEqual(again.state(), "confirmed")
      station.push("sunsubscribe", "s", 2)
      station.reply("PONG")
      station.push("sunsubscribe", "u", 1)
      station.reply("PONG")
      assert.deepStrictEqual(outcome, Exit.void)
      station.push("smessage", "t", "1")
      assert.deepStrictEqual(elements(one), ["+s", "+t", "+u", "+t", "t=1"])
      assert.strictEqual(station.exchange().inFlight, 0)
    })

    it("names that are not UTF-8 are told apart, and bytes that are UTF-8 are the same name as the text", () => {
      const station = makeStation(protocol)
      const one = receiver()
      const push = (kind: string, name: Uint8Array, last: Resp.Value) => {
        const items = [bulk(kind), new Resp.Bulk(name, 0, name.length), last]
        station.reply(protocol === 3 ? new Resp.Push(items) : items)
      }
      const [x, y] = [Uint8Array.of(0xff, 1), Uint8Array.of(0xfe, 1)]
      station.connect()
      const joining = station.join(one, "subscribe", x, y, "ü", encodeUtf8("ü"))
      station.exchange().encode()
      for (const name of [x, y, encodeUtf8("ü")]) push("subscribe", name, 1)
      assert.strictEqual(joining.state(), "confirmed")
      elements(one)
      push("message", y, bulk("1"))
      assert.deepStrictEqual(elements(one), ["\ufffd\u0001=1"])
      station.hub.leave(one, station.hub.topicsOf(one).slice(1, 2))
      push("message", y, bulk("2"))
      push("message", x, bulk("3"))
      assert.deepStrictEqual(elements(one), ["\ufffd\u0001=3"])
    })

    it("text that is not UTF-8 fails who wants text, and nobody else", () => {
      const station = makeStation(protocol)
      const [text, bytes]: [Receiver, Receiver] = [receiver(), { mailbox: makeMailbox(), bytes: true }]
      station.connect()
      station.join(text, "subscribe", "a")
      station.join(bytes, "subscribe", "a")
      station.written()
      station.push("subscribe", "a", 1)
      const items = [bulk("message"), bulk("a"), new Resp.Bulk(Uint8Array.of(0xff), 0, 1)]
      station.reply(protocol === 3 ? new Resp.Push(items) : items)
      assert.deepStrictEqual(elements(text), ["+a"])
      const failure = Effect.runSync(Effect.flip(text.mailbox.take))
      assert.strictEqual(failure._tag, "DecodeError")
      assert.deepStrictEqual(taken(bytes.mailbox).slice(1).map((element) => "data" in element && element.data), [
        Uint8Array.of(0xff)
      ])
    })

    it("thousands of channels go in commands of bounded size", () => {
      const station = makeStation(protocol)
      const names = Array.from({ length: 2500 }, (_, index) => `c${index}`)
      const joining = station.join(receiver(), "subscribe", ...names)
      station.connect()
      assert.deepStrictEqual(station.written().map((command) => command.split(" ").length - 1), [1000, 1000, 500])
      for (const name of names) station.push("subscribe", name, 1)
      assert.strictEqual(joining.state(), "confirmed")
      assert.strictEqual(station.exchange().inFlight, 0)
    })
  })
}

describe("PubSubMailbox", () => {
  const message = (data: string) =>
    ({ _tag: "Message", kind: "message", channel: "c", pattern: undefined, data }) as const
  const gap = (channels: ReadonlyArray<string> = ["c"], server?: string) =>
    [
      { _tag: "Lost", reason: "Disconnected", channels, dropped: undefined, error: lost, server },
      { _tag: "Restored", channels, server }
    ] as const
  const filled = (onFull: MailboxOptions["onFull"], events = true) => {
    const mailbox = makeMailbox({ capacity: 2, onFull, events })
    for (const data of ["1", "2", "3", "4"]) mailbox.offer(message(data))
    return mailbox
  }
  const briefs = (mailbox: Mailbox) => taken(mailbox).map(brief)

  it("dropNewest: a gap stands after what was kept, with the number of what was dropped", () => {
    const mailbox = filled("dropNewest")
    assert.deepStrictEqual(briefs(mailbox), ["c=1", "c=2", "lost 2", "back all"])
    mailbox.offer(message("5"))
    assert.deepStrictEqual(briefs(mailbox), ["c=5"])
    assert.deepStrictEqual(briefs(filled("dropNewest", false)), ["c=1", "c=2"])
  })

  it("dropNewest: another event does not get in front of the gap", () => {
    const mailbox = filled("dropNewest")
    for (const event of gap()) mailbox.event(event)
    assert.deepStrictEqual(briefs(mailbox), ["c=1", "c=2", "lost 2", "back all", "lost c", "back c"])
  })

  it("dropOldest: a gap stands before what was kept, after the events that stood there", () => {
    const mailbox = filled("dropOldest")
    assert.deepStrictEqual(briefs(mailbox), ["lost 2", "back all", "c=3", "c=4"])
    assert.deepStrictEqual(briefs(filled("dropOldest", false)), ["c=3", "c=4"])
    mailbox.offer(message("5"))
    for (const event of gap()) mailbox.event(event)
    for (const data of ["6", "7", "8"]) mailbox.offer(message(data))
    assert.deepStrictEqual(briefs(mailbox), ["lost c", "back c", "lost 2", "back all", "c=7", "c=8"])
  })

  it("dropOldest: keeps the last ones of very many, and no memory of the others", () => {
    const mailbox = makeMailbox({ capacity: 3, onFull: "dropOldest" })
    for (let i = 0; i < 100_000; i++) mailbox.offer(message(String(i)))
    assert.deepStrictEqual(briefs(mailbox), ["lost 99997", "back all", "c=99997", "c=99998", "c=99999"])
  })

  it("channels that move again and again while nobody consumes are told of once, each at the same cost", () => {
    const mailbox = makeMailbox()
    const names = Array.from({ length: 20_000 }, (_, i) => `c${i}`)
    const started = worked()
    const move = (from: string, to: string) => {
      for (const name of names) mailbox.event(gap([name], from)[0])
      mailbox.event(gap(names, to)[1])
    }
    for (let moves = 0; moves < 5; moves++) {
      move("a", "b")
      move("b", "a")
    }
    // It takes some milliseconds; with a look at all those before for each, half a minute.
    assert.isBelow(worked() - started, 5000)
    const elements = taken(mailbox)
    assert.strictEqual(elements.length, 20_001)
    assert.deepStrictEqual(elements[0], gap(["c0"], "a")[0])
    assert.deepStrictEqual(elements[20_000], gap(names, "a")[1])
  })

  it("of channels that were restored together, the gaps of some go on", () => {
    const mailbox = makeMailbox()
    for (const event of gap(["a", "b", "c"])) mailbox.event(event)
    mailbox.event(gap(["b", "d"])[0])
    assert.deepStrictEqual(briefs(mailbox), ["lost a,b,c", "back a,c", "lost d"])
    mailbox.event(gap(["b", "d"])[1])
    // The loss has been taken, and its end has not.
    for (const event of gap(["b", "d"])) mailbox.event(event)
    assert.deepStrictEqual(briefs(mailbox), ["back b,d"])
  })

  it("a channel and a pattern of the same name are lost and restored together", () => {
    const mailbox = makeMailbox()
    for (let i = 0; i < 10; i++) for (const event of gap(["c", "c"])) mailbox.event(event)
    assert.deepStrictEqual(briefs(mailbox), ["lost c,c", "back c,c"])
  })

  it("of a channel and a pattern of the same name, the gap of one goes on", () => {
    const mailbox = makeMailbox()
    for (const event of gap(["c", "c", "d"])) mailbox.event(event)
    mailbox.event(gap(["c"])[0])
    assert.deepStrictEqual(briefs(mailbox), ["lost c,c,d", "back c,d"])
    for (const event of gap(["c", "c"])) mailbox.event(event)
    for (let i = 0; i < 3; i++) for (const event of gap(["c"])) mailbox.event(event)
    // The last end is the one that another gap has had taken back.
    assert.deepStrictEqual(briefs(mailbox), ["lost c,c", "back c", "back c"])
  })

  it("dropping policies tell of one gap, however many events come between the messages", () => {
    for (const onFull of ["dropNewest", "dropOldest"] as const) {
      const mailbox = makeMailbox({ capacity: 1, onFull })
      for (let i = 0; i < 100; i++) {
        mailbox.offer(message(String(i)))
        for (const event of gap()) mailbox.event(event)
      }
      const overflow = ["lost 99", "back all"]
      const kept = onFull === "dropNewest"
        ? ["c=0", ...overflow]
        : ["lost c", "back c", ...overflow, "lost c", "back c", "c=99"]
      assert.deepStrictEqual(briefs(mailbox), [...kept, "lost c", "back c"])
    }
  })

  it("a buffer is full as well when its messages have so many bytes, of which one may have more", () => {
    const text = (length: number) => "x".repeat(length)
    const long = message(text(6))
    const byPattern = { ...long, kind: "pmessage", channel: text(4), pattern: "x*" } as const
    const bytes = (onFull: MailboxOptions["onFull"], capacityBytes = 10) => makeMailbox({ onFull, capacityBytes })
    const lengths = (mailbox: Mailbox) =>
      taken(mailbox).map((element) => element._tag === "Message" ? element.data.length : brief(element))

    const failing = bytes("fail")
    for (let i = 0; i < 3; i++) failing.offer(long)
    assert.deepStrictEqual(lengths(failing), [6, 6])
    const error = Effect.runSync(Effect.flip(failing.take))
    assert.deepInclude(error, { _tag: "PubSubOverflowError", capacity: 100, capacityBytes: 10 })

    const oldest = bytes("dropOldest")
    for (const length of [1, 2, 3, 4, 5, 50, 1]) oldest.offer(message(text(length)))
    assert.deepStrictEqual(lengths(oldest), ["lost 6", "back all", 1])
    oldest.offer(byPattern)
    oldest.offer(message(text(9)))
    oldest.offer(message(text(1)))
    oldest.offer(message(text(2)))
    assert.deepStrictEqual(lengths(oldest), ["lost 2", "back all", 1, 2])

    const newest = bytes("dropNewest")
    for (const length of [0, 50, 0]) newest.offer(message(text(length)))
    assert.deepStrictEqual(lengths(newest), [0, 50, "lost 1", "back all"])
    newest.offer({ ...byPattern, data: new Uint8Array(6), channel: new Uint8Array(3), pattern: new Uint8Array(1) })
    newest.offer(message("1"))
    assert.deepStrictEqual(lengths(newest), [6, 1])

    const suspending = bytes("suspend")
    suspending.offer(long)
    assert.isFalse(suspending.full)
    suspending.offer(long)
    assert.isTrue(suspending.full)
    assert.deepStrictEqual(lengths(suspending), [6, 6])
    assert.isFalse(suspending.full)
  })

  it("fail: what was kept is still yielded, and then the error", () => {
    const mailbox = filled("fail")
    assert.deepStrictEqual(briefs(mailbox), ["c=1", "c=2"])
    const error = Effect.runSync(Effect.flip(mailbox.take))
    assert.deepInclude(error, { _tag: "PubSubOverflowError", capacity: 2 })
    mailbox.offer(message("5"))
    assert.deepStrictEqual(briefs(mailbox), [])
  })

  it("suspend: keeps everything, and says that it is full, and when it is no more", () => {
    let rooms = 0
    const mailbox = makeMailbox({ capacity: 2, onFull: "suspend", onRoom: () => rooms++ })
    mailbox.offer(message("1"))
    assert.isFalse(mailbox.full)
    for (const data of ["2", "3"]) mailbox.offer(message(data))
    assert.isTrue(mailbox.full)
    assert.deepStrictEqual(briefs(mailbox), ["c=1", "c=2", "c=3"])
    assert.deepStrictEqual([mailbox.full, rooms], [false, 1])
  })

  it("gaps with nothing in between are one gap, so that a mailbox nobody reads does not grow", () => {
    const mailbox = makeMailbox()
    for (let i = 0; i < 1000; i++) for (const event of gap()) mailbox.event(event)
    mailbox.offer(message("1"))
    for (const event of gap()) mailbox.event(event)
    assert.deepStrictEqual(briefs(mailbox), ["lost c", "back c", "c=1", "lost c", "back c"])
    for (const names of [["a"], ["b"]]) for (const event of gap(names)) mailbox.event(event)
    assert.deepStrictEqual(briefs(mailbox), ["lost a", "back a", "lost b", "back b"])
  })

  it("gaps of several servers by turns are one gap of each", () => {
    const mailbox = makeMailbox()
    const [left, right] = [gap(["c"], "left"), gap(["c"], "right")]
    mailbox.offer(message("1"))
    for (let i = 0; i < 1000; i++) {
      for (const event of [left[0], right[0], left[1], right[1]]) mailbox.event(event)
    }
    const servers = taken(mailbox).map((element) =>
      element._tag === "Lost" || element._tag === "Restored" ? `${element._tag} ${element.server}` : element._tag
    )
    assert.deepStrictEqual(servers, ["Message", "Lost left", "Lost right", "Restored left", "Restored right"])
    // What comes after a message is another gap.
    for (const event of left) mailbox.event(event)
    mailbox.offer(message("2"))
    for (const event of left) mailbox.event(event)
    assert.deepStrictEqual(briefs(mailbox), ["lost c", "back c", "c=2", "lost c", "back c"])
  })

  it.effect("two consumers at a time are both woken, and one that went away is not waited for", () =>
    Effect.gen(function*() {
      const mailbox = makeMailbox()
      const take = Effect.forkChild(mailbox.take, { startImmediately: true })
      const [first, second] = [yield* take, yield* take]
      assert.isTrue(mailbox.idle)
      yield* Fiber.interrupt(first)
      assert.isTrue(mailbox.idle)
      mailbox.offer(message("1"))
      mailbox.wake()
      assert.deepStrictEqual((yield* Fiber.join(second)).map(brief), ["c=1"])
      assert.isFalse(mailbox.idle)
    }))
})

describe("Places", () => {
  it.effect("that are none any more are forgotten when nobody uses them", () =>
    Effect.gen(function*() {
      const settings = yield* RedisConfig.settings({})
      const scope = Scope.makeUnsafe()
      let current = ""
      const pubSub = yield* Scope.provide(
        PubSub.make(
          {
            serverFor: () => current,
            isServer: (server) => server === current,
            connect: () => Effect.fail(lost),
            onEvent: () => {}
          },
          settings,
          () => Effect.die("not used")
        ),
        scope
      )
      for (let index = 0; index < 20; index++) {
        current = `server:${index}`
        yield* Effect.scoped(
          Effect.flatMap(pubSub.open({}), (subscription) => Effect.flip(subscription.ssubscribe("channel")))
        )
        // The pause after the failure.
        yield* TestClock.adjust("2 seconds")
      }
      // A fiber for each server, and the end of all.
      assert.isAtMost(scope.state._tag === "Open" ? scope.state.finalizers?.size ?? 1 : 0, 3)
      yield* Scope.close(scope, Exit.void)
    }))
})

describe("Link", () => {
  it.effect("who waits for a connection is told when opening it breaks", () =>
    Effect.gen(function*() {
      const link = new Link({
        server: "test:1",
        settings: yield* RedisConfig.settings({}),
        subscribers: { serverFor: () => "test:1", connect: () => Effect.die(new Error("boom")), onEvent: () => {} },
        onConfirmed: () => {},
        onMoved: () => {}
      })
      yield* Effect.forkScoped(link.run)
      const error = yield* Effect.flip(link.execute(RedisCommand.send("PING")))
      assert.strictEqual(error._tag, "ConnectionError")
      assert.match(error.message, /failed to open a connection/)
    }))
})
