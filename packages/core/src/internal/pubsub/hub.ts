/**
 * The subscriptions on one connection. Handing messages out takes no Effect and
 * no I/O, as it runs once for each message.
 *
 * Invariants: the server answers commands in order, so a confirmation belongs to
 * the first command that is not answered in full; a topic is in the registry
 * exactly as long as it has receivers; a message goes to receivers only after
 * the subscription was confirmed on the connection it comes from; each caller
 * gets an error of its own.
 */
import * as Exit from "effect/Exit"
import type * as RedisArg from "../../RedisArg.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import { isRetryable } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import type { Event, Kind, Message } from "../../RedisPubSub.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import { nameOf } from "../codec/names.ts"
import type { Exchange } from "../connection/exchange.ts"
import { ping } from "../connection/ping.ts"
import type { Request } from "../connection/request.ts"
import { SingleRequest } from "../connection/singleRequest.ts"
import { connectionLoss } from "../error/events.ts"
import { withFields } from "../error/retry.ts"
import type { TextDecoding } from "../reply/decode.ts"
import { failureIn } from "../runtime/firstError.ts"
import { kindOf, nameOfReply } from "./channelNames.ts"
import type { Shown } from "./channelNames.ts"
import { commandOf, grouped, subscribing, unsubscribing } from "./commands.ts"
import type { Verb } from "./commands.ts"
import { Gaps } from "./gaps.ts"
import { isGivenUp } from "./givenUp.ts"
import type { Mailbox } from "./mailbox.ts"
import { messageFor, shown, unreadable } from "./message.ts"
import { Topic } from "./topic.ts"
import type { Joining, Receiver } from "./topic.ts"

/** The PING that marks where the answer to the command before must have come. */
interface Fence {
  readonly _tag: "Fence"
}

/** A command that was sent and has not all of its confirmations. */
interface Sent {
  readonly purpose: Verb | Fence
  readonly unconfirmed: Map<string, Topic>
  readonly settle: (exit: Exit.Exit<void, CommandError>) => void
  readonly request: Request
}

export interface HubOptions {
  /** The name of the server in events. */
  readonly server?: string | undefined
  readonly textDecoding: TextDecoding
  /** Called when the first subscription comes, and after the last one has gone. */
  readonly onDemand: () => void
  readonly onUnused: () => void
  /** Called when the server has confirmed topics, which are of one kind. */
  readonly onConfirmed: (topics: ReadonlyArray<Topic>) => void
  /** Called with a topic that is not subscribed to on this connection any more, because another server has it. */
  readonly onMoved: (topic: Topic) => void
  /** Whether a topic belongs on another connection by now. */
  readonly isElsewhere: (topic: Topic) => boolean
}

export class Hub {
  readonly #options: HubOptions
  readonly #topics: Readonly<Record<Kind, Map<string, Topic>>> = {
    subscribe: new Map(),
    psubscribe: new Map(),
    ssubscribe: new Map()
  }
  /**
   * The topics by receiver: ten thousand receivers that come and go must not make the hub look through the topics of
   * all.
   */
  readonly #received = new Map<Receiver, Set<Topic>>()
  readonly #gaps: Gaps
  #exchange: Exchange | undefined = undefined
  #sent: Array<Sent> = []
  #toWake: Array<Mailbox> = []
  #last: Topic | undefined = undefined

  constructor(options: HubOptions) {
    this.#options = options
    this.#gaps = new Gaps(options.server)
  }

  get empty(): boolean {
    const { psubscribe, ssubscribe, subscribe } = this.#topics
    return subscribe.size + psubscribe.size + ssubscribe.size === 0
  }

  /** Whether the server owes a confirmation. */
  get unconfirmed(): boolean {
    return this.#sent.length > 0
  }

  // ---------------------------------------------------------------------------
  // Subscriptions
  // ---------------------------------------------------------------------------

  /**
   * Adds a receiver; settles when the server has confirmed everything. A failure
   * adds nothing.
   */
  join(
    receiver: Receiver,
    kind: Kind,
    keys: Iterable<RedisArg.Key>,
    settle: (exit: Exit.Exit<void, CommandError>) => void
  ): () => void {
    const wasEmpty = this.empty
    const topics = new Set<Topic>()
    for (const key of keys) {
      const topic = this.#topic(kind, key)
      if (this.#add(receiver, topic)) topics.add(topic)
    }
    const unconfirmed = new Set([...topics].filter((topic) => topic.state !== "Active"))
    const joining: Joining = { receiver, topics, unconfirmed, settle }
    for (const topic of topics) {
      if (topic.state === "Active") receiver.mailbox.event(this.#subscribed(receiver, topic))
      else topic.joining.set(receiver, joining)
    }
    if (unconfirmed.size === 0) settle(Exit.void)
    this.#subscribe([...unconfirmed].filter((topic) => topic.state === "Wanted"))
    if (wasEmpty && !this.empty) this.#options.onDemand()
    return () => this.#giveUp(joining)
  }

  /** Removes a receiver; settles when the server has confirmed, or is not there to do so. */
  leave(
    receiver: Receiver,
    topics: Iterable<Topic>,
    settle: (exit: Exit.Exit<void, CommandError>) => void = () => {}
  ): void {
    const given: Array<Topic> = []
    for (const topic of topics) {
      if (!this.#remove(receiver, topic)) continue
      this.#gaps.recover(receiver, topic)
      const joining = topic.joining.get(receiver)
      if (joining !== undefined) completed(joining, topic)
      if (!topic.unused) continue
      this.#topics[topic.kind].delete(topic.id)
      if (topic.state !== "Wanted") given.push(topic)
    }
    this.#unsubscribe(given, settle)
    if (this.empty) this.#options.onUnused()
  }

  /** The topics of a receiver, of one kind or all. */
  topicsOf(receiver: Receiver, kind?: Kind): ReadonlyArray<Topic> {
    const topics = [...this.#received.get(receiver) ?? []]
    return kind === undefined ? topics : topics.filter((topic) => topic.kind === kind)
  }

  find(kind: Kind, id: string): Topic | undefined {
    return this.#topics[kind].get(id)
  }

  /** Whether a receiver has any topic. */
  serves(receiver: Receiver): boolean {
    return this.#received.has(receiver)
  }

  #add(receiver: Receiver, topic: Topic): boolean {
    const received = this.#received.get(receiver) ?? new Set()
    if (received.has(topic)) return false
    this.#received.set(receiver, received.add(topic))
    topic.add(receiver)
    return true
  }

  #remove(receiver: Receiver, topic: Topic): boolean {
    const received = this.#received.get(receiver)
    if (received?.delete(topic) !== true) return false
    if (received.size === 0) this.#received.delete(receiver)
    topic.remove(receiver)
    return true
  }

  #topic(kind: Kind, key: RedisArg.Key): Topic {
    const id = nameOf(key)
    const known = this.#topics[kind].get(id)
    if (known !== undefined) return known
    const topic = new Topic(kind, id, key)
    this.#topics[kind].set(id, topic)
    return topic
  }

  /** Ends a joining that fails, or whose caller has gone away. */
  #giveUp(joining: Joining): void {
    for (const topic of joining.topics) {
      if (topic.joining.get(joining.receiver) === joining) topic.joining.delete(joining.receiver)
    }
    this.leave(joining.receiver, joining.topics)
  }

  #failJoining(joining: Joining, error: CommandError): void {
    this.#giveUp(joining)
    joining.settle(Exit.fail(withFields(error, {})))
  }

  // ---------------------------------------------------------------------------
  // Connections
  // ---------------------------------------------------------------------------

  /** Subscribes to everything on a new connection. */
  attach(exchange: Exchange): void {
    this.#exchange = exchange
    for (const topics of Object.values(this.#topics)) this.#subscribe([...topics.values()])
  }

  /**
   * Takes the end of the connection: fails callers that wait for it, and tells the others of their gap. Those that come after it
   * wait for the next connection.
   */
  detach(error: CommandError): void {
    if (this.#exchange === undefined) return
    this.#leaveConnection()
    this.failJoining(error)
    this.#lose(this.all, "Disconnected", error)
    // The messages that came before bytes that are not RESP still count.
    this.flush()
  }

  /** A subscription is gone without its connection as well. */
  #leaveConnection(): void {
    this.#exchange = undefined
    const sent = this.#sent
    this.#sent = []
    for (const { purpose, settle } of sent) if (purpose._tag === "Unsubscribe") settle(Exit.void)
  }

  /** Fails the callers that wait for a confirmation. */
  failJoining(error: CommandError): void {
    const waiting = new Set(this.all.flatMap(({ joining }) => [...joining.values()]))
    for (const joining of waiting) this.#failJoining(joining, error)
  }

  /** Fails everybody, now and from now on. */
  close(error: CommandError): void {
    const receivers = [...this.#received.keys()]
    this.#leaveConnection()
    this.failJoining(error)
    for (const receiver of receivers) receiver.mailbox.fail(withFields(error, {}))
  }

  /** Subscribes to a topic once more, on the same connection. */
  resubscribe(topic: Topic): void {
    this.#subscribe([topic])
  }

  /** Hands over the topics that belong on another connection by now. */
  rehome(): void {
    for (const topic of this.all) {
      if (this.#options.isElsewhere(topic)) this.#options.onMoved(topic)
    }
  }

  /** Unsubscribes from topics that another server has by now, although this one has not given them up. */
  release(topics: ReadonlyArray<Topic>): void {
    this.#lose(topics, "Moved", undefined)
    this.#unsubscribe(topics, () => {})
    for (const topic of topics) this.#options.onMoved(topic)
  }

  /**
   * Gives a topic away, with its receivers, which now miss it. Those that wait for their first confirmation miss nothing
   * yet: they fail, and try where the topic is by now.
   */
  surrender(topic: Topic): ReadonlyArray<Receiver> {
    const joining = Array.from(topic.joining.values())
    const receivers = topic.joined
    this.#topics[topic.kind].delete(topic.id)
    for (const receiver of topic.receivers) {
      this.#remove(receiver, topic)
      this.#gaps.giveAway(receiver, topic)
    }
    for (const each of joining) this.#failJoining(each, elsewhere(this.#options.server))
    if (this.empty) this.#options.onUnused()
    return receivers
  }

  /** Takes over a topic that another hub has given away. */
  adopt(given: Topic, receivers: ReadonlyArray<Receiver>): void {
    if (receivers.length === 0) return
    const topic = this.#topic(given.kind, given.key)
    topic.moves = given.moves
    topic.movedAt = given.movedAt
    for (const receiver of receivers) {
      this.#add(receiver, topic)
      this.#gaps.add(receiver, topic)
      if (topic.state === "Active") this.#gaps.recover(receiver, topic)
    }
    if (topic.state === "Wanted") this.#subscribe([topic])
    this.#options.onDemand()
  }

  /**
   * Takes over for a receiver topics that this server publishes as well. The receiver has missed what the server has
   * published so far.
   */
  extend(receiver: Receiver, given: ReadonlyArray<Topic>): void {
    const fresh = given.filter(({ id, kind }) => this.find(kind, id)?.has(receiver) !== true)
    if (fresh.length === 0) return
    this.#gaps.tell(receiver, fresh)
    for (const topic of fresh) this.adopt(topic, [receiver])
  }

  /**
   * Notes that the server is silent: messages may be missing from here on, unless the server sends something after all.
   */
  doubt(error: CommandError): void {
    this.#gaps.begin(this.all.filter(({ state }) => state === "Active"), "Disconnected", error)
  }

  /** Notes that something has come after all, on the same connection, so no message of its subscriptions is missing. */
  trust(): void {
    for (const topic of this.all) {
      if (topic.state === "Active") { for (const receiver of topic.receivers) this.#gaps.recover(receiver, topic) }
    }
  }

  get all(): ReadonlyArray<Topic> {
    return Object.values(this.#topics).flatMap((topics) => [...topics.values()])
  }

  #lose(topics: ReadonlyArray<Topic>, reason: "Disconnected" | "Moved", error: CommandError | undefined): void {
    const active = topics.filter(({ state }) => state === "Active")
    for (const topic of topics) topic.state = "Wanted"
    this.#gaps.begin(active, reason, error)
  }

  #subscribed(receiver: Receiver, topic: Topic): Event<Shown> {
    return { _tag: "Subscribed", kind: topic.kind, channel: shown(receiver, topic), server: this.#options.server }
  }

  // ---------------------------------------------------------------------------
  // Commands
  // ---------------------------------------------------------------------------

  #subscribe(topics: ReadonlyArray<Topic>): void {
    if (this.#exchange === undefined) return
    for (const group of grouped(topics)) {
      for (const topic of group) topic.state = "Sent"
      this.#send(subscribing[group[0]!.kind], group, (exit) => {
        if (Exit.isFailure(exit)) this.#refused(group, failureIn(exit))
        else this.#options.onConfirmed(group)
      })
    }
  }

  #unsubscribe(topics: ReadonlyArray<Topic>, settle: (exit: Exit.Exit<void, CommandError>) => void): void {
    const groups = this.#exchange === undefined ? [] : grouped(topics)
    if (groups.length === 0) return settle(Exit.void)
    let outstanding = groups.length
    const send = (group: ReadonlyArray<Topic>): void => {
      this.#send(unsubscribing[group[0]!.kind], group, (exit) => {
        if (Exit.isFailure(exit) && group.length === 1) return settle(isGivenUp(failureIn(exit)) ? Exit.void : exit)
        // The server refuses all names because of one, or because their slots differ. A name that is wanted again stays.
        const alone = Exit.isSuccess(exit) ? [] : group.filter(({ id, kind }) => !this.#topics[kind].has(id))
        outstanding += alone.length - 1
        for (const topic of alone) send([topic])
        if (outstanding === 0) settle(Exit.void)
      })
    }
    groups.forEach(send)
  }

  #send(
    verb: Verb,
    topics: ReadonlyArray<Topic>,
    settle: (exit: Exit.Exit<void, CommandError>) => void
  ): void {
    this.#submit(commandOf(verb, topics), verb, topics, settle)
    if (verb === unsubscribing.ssubscribe) this.#submit(ping, { _tag: "Fence" }, [], () => {})
  }

  #submit(
    command: RedisCommand.RedisCommand<unknown>,
    purpose: Sent["purpose"],
    topics: ReadonlyArray<Topic>,
    settle: Sent["settle"]
  ): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    const request = new SingleRequest(command, undefined, (exit) => {
      // A command whose connection is lost is not in the list any more, or will be settled with it.
      if (exchange.closed || this.#sent[0] !== sent) return
      this.#sent.shift()
      settle(Exit.asVoid(exit))
    })
    const sent: Sent = { purpose, unconfirmed: new Map(topics.map((topic) => [topic.id, topic])), settle, request }
    this.#sent.push(sent)
    exchange.submit(request)
  }

  /**
   * Takes each reply, and returns whether it answers nothing. A server that gives a shard channel up while it is being
   * asked to unsubscribe says twice that it has: unasked, which looks like the answer, and then with the answer, that
   * the slot is elsewhere. No later answer is taken for this one, as each such command is followed by a PING.
   */
  readonly unasked = (value: Resp.Value): boolean => this.#sent[0]?.purpose._tag === "Fence" && isGivenUp(value)

  /**
   * Takes the refusal of a command. The server refuses all names because of one; which one it is shows when they are
   * sent alone.
   */
  #refused(topics: ReadonlyArray<Topic>, error: CommandError): void {
    const wanted = topics.filter((topic) => this.#topics[topic.kind].get(topic.id) === topic)
    if (topics.length > 1) {
      for (const topic of wanted) this.#subscribe([topic])
      return
    }
    for (const topic of wanted) {
      topic.state = "Wanted"
      // The loops run over copies, because a receiver that fails may subscribe again at once.
      const before = topic.joined
      for (const each of Array.from(topic.joining.values())) this.#failJoining(each, error)
      if (before.length > 0 && this.#options.isElsewhere(topic)) return this.#options.onMoved(topic)
      if (before.length > 0 && isRetryable(error)) return this.#exchange?.close(error)
      for (const receiver of before) {
        // The messages that the receiver missed stay missing: nothing of the gap is restored.
        this.#gaps.forget(receiver)
        this.leave(receiver, [topic])
        receiver.mailbox.fail(withFields(error, {}))
      }
    }
  }

  // ---------------------------------------------------------------------------
  // Receiving
  // ---------------------------------------------------------------------------

  /**
   * Takes what the server sends unasked; returns whether it completes
   * the answer to the command in front.
   */
  readonly receive = (items: ReadonlyArray<Resp.Value>): boolean => {
    const kind = kindOf(items[0])
    switch (kind) {
      case "message":
        this.#message("subscribe", "message", items[1], undefined, items[2])
        return false
      case "pmessage":
        this.#message("psubscribe", "pmessage", items[1], items[2], items[3])
        return false
      case "smessage":
        this.#message("ssubscribe", "smessage", items[1], undefined, items[2])
        return false
      case "pong":
        return true
      default:
        return this.#confirmation(kind, items[1])
    }
  }

  /** Wakes the consumers of the messages that were received since. */
  flush(): void {
    if (this.#toWake.length === 0) return
    const mailboxes = this.#toWake
    this.#toWake = []
    for (const mailbox of mailboxes) mailbox.wake()
  }

  #message(
    by: Kind,
    kind: Message["kind"],
    name: Resp.Value | undefined,
    matched: Resp.Value | undefined,
    payload: Resp.Value | undefined
  ): void {
    const topic = this.#topicNamed(by, name)
    if (topic === undefined || topic.state !== "Active") return
    const receivers = topic.receivers
    for (let i = 0; i < receivers.length; i++) {
      const receiver = receivers[i]!
      const { mailbox } = receiver
      try {
        mailbox.offer(messageFor(receiver, topic, kind, matched, payload, this.#options.textDecoding))
      } catch (error) {
        if (!(error instanceof RedisReply.Mismatch)) throw error
        mailbox.fail(unreadable(topic, payload, error))
        continue
      }
      if (mailbox.idle) {
        mailbox.idle = false
        this.#toWake.push(mailbox)
      }
    }
  }

  /** Finds a topic by the name in a message. No text is made of a name that is that of the message before. */
  #topicNamed(by: Kind, name: Resp.Value | undefined): Topic | undefined {
    const topics = this.#topics[by]
    const last = this.#last
    if (last !== undefined && name instanceof Resp.Bulk && name.spells(last.id) && topics.get(last.id) === last) {
      return last
    }
    return this.#last = topics.get(nameOfReply(name))
  }

  #confirmation(word: string, name: Resp.Value | undefined): boolean {
    const id = nameOfReply(name)
    const first = this.#sent[0]
    // What comes before a command was written cannot be its answer.
    const isAnswer = first !== undefined && first.purpose._tag !== "Fence" && first.purpose.word === word &&
      first.request.written > 0
    const topic = isAnswer ? first.unconfirmed.get(id) : undefined
    if (first === undefined || topic === undefined) {
      if (word === unsubscribing.ssubscribe.word) this.#moved(id)
      return false
    }
    first.unconfirmed.delete(id)
    if (first.purpose._tag === "Subscribe") this.#confirmed(topic)
    return first.unconfirmed.size === 0
  }

  #confirmed(topic: Topic): void {
    topic.state = "Active"
    for (const receiver of topic.joining.keys()) receiver.mailbox.event(this.#subscribed(receiver, topic))
    for (const receiver of topic.receivers) this.#gaps.recover(receiver, topic)
    for (const joining of Array.from(topic.joining.values())) completed(joining, topic)
  }

  /** Takes the news that the server has unsubscribed from a shard channel, whose slot it has given up. */
  #moved(id: string): void {
    const topic = this.#topics.ssubscribe.get(id)
    if (topic === undefined || topic.state !== "Active") return
    this.#lose([topic], "Moved", undefined)
    this.#options.onMoved(topic)
  }
}

const elsewhere = (server: string | undefined): CommandError =>
  connectionLoss("Demoted", "A shard channel is served elsewhere by now", server)

const completed = (joining: Joining, topic: Topic): void => {
  topic.joining.delete(joining.receiver)
  joining.unconfirmed.delete(topic)
  if (joining.unconfirmed.size === 0) joining.settle(Exit.void)
}
