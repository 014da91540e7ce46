/**
 * The subscriptions on one connection. Handing messages out takes no Effect and
 * no I/O, as it runs once for each message.
 *
 * Invariants: the server answers commands in order, so a confirmation belongs to
 * the first command that is not answered in full; an entry is in the registry
 * exactly as long as it has receivers; a message goes to receivers only after
 * the subscription was confirmed on the connection it comes from.
 */
import * as Exit from "effect/Exit"
import type * as RedisArg from "../../RedisArg.ts"
import { isRetryable } from "../../RedisError.ts"
import type { CommandError } from "../../RedisError.ts"
import type { Event, Kind, Message } from "../../RedisPubSub.ts"
import * as RedisReply from "../../RedisReply.ts"
import * as Resp from "../../Resp.ts"
import type { Exchange } from "../connection/exchange.ts"
import { SingleRequest } from "../connection/request.ts"
import { idOf, idOfReply, kindOf } from "./channelNames.ts"
import { commandOf, grouped, unsubscribeVerbs } from "./commands.ts"
import type { Mailbox, Shown } from "./mailbox.ts"
import { messageFor, shown, unreadable } from "./message.ts"
import { Entry } from "./topic.ts"
import type { Joining, Receiver } from "./topic.ts"

/** The channels that a receiver has lost and not got back. */
interface Gap {
  readonly missing: Set<Entry>
  /** All channels that were lost since, by their ids. */
  readonly lost: Map<string, Entry>
}

/** A command that was sent and has not all of its confirmations. */
interface Sent {
  readonly verb: string
  readonly unconfirmed: Map<string, Entry>
  readonly settle: (exit: Exit.Exit<void, CommandError>) => void
}

export interface HubOptions {
  /** The name of the server in events. */
  readonly server?: string | undefined
  readonly replaceInvalidText: boolean
  /** Called when the first subscription comes, and after the last one has gone. */
  readonly onDemand: () => void
  readonly onUnused: () => void
  /** Called with an entry that its server has given up. */
  readonly onMoved: (entry: Entry) => void
  /** Whether an entry belongs on another connection by now. */
  readonly isElsewhere: (entry: Entry) => boolean
}

export class Hub {
  readonly #options: HubOptions
  readonly #entries: Readonly<Record<Kind, Map<string, Entry>>> = {
    subscribe: new Map(),
    psubscribe: new Map(),
    ssubscribe: new Map()
  }
  /**
   * The entries by receiver: ten thousand receivers that come and go must not make the hub look through the entries of
   * all.
   */
  readonly #received = new Map<Receiver, Set<Entry>>()
  readonly #gaps = new Map<Receiver, Gap>()
  #exchange: Exchange | undefined = undefined
  #sent: Array<Sent> = []
  #toWake: Array<Mailbox> = []
  #last: Entry | undefined = undefined

  constructor(options: HubOptions) {
    this.#options = options
  }

  get empty(): boolean {
    const { psubscribe, ssubscribe, subscribe } = this.#entries
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
    const entries = new Set<Entry>()
    for (const key of keys) {
      const entry = this.#entry(kind, key)
      if (this.#add(receiver, entry)) entries.add(entry)
    }
    const unconfirmed = new Set([...entries].filter((entry) => entry.state !== "Active"))
    const joining: Joining = { receiver, entries, unconfirmed, settle }
    for (const entry of entries) {
      if (entry.state === "Active") {
        receiver.mailbox.event(this.#subscribed(receiver, entry))
      } else entry.joining.add(joining)
    }
    if (unconfirmed.size === 0) settle(Exit.void)
    this.#subscribe([...unconfirmed].filter((entry) => entry.state === "Wanted"))
    if (wasEmpty && !this.empty) this.#options.onDemand()
    return () => this.#giveUp(joining)
  }

  /** Removes a receiver; settles when the server has confirmed, or is not there to do so. */
  leave(
    receiver: Receiver,
    entries: Iterable<Entry>,
    settle: (exit: Exit.Exit<void, CommandError>) => void = () => {}
  ): void {
    const given: Array<Entry> = []
    for (const entry of entries) {
      if (!this.#remove(receiver, entry)) continue
      this.#recover(receiver, entry)
      for (const joining of Array.from(entry.joining)) {
        if (joining.receiver === receiver) completed(joining, entry)
      }
      if (entry.receivers.length > 0) continue
      this.#entries[entry.kind].delete(entry.id)
      if (entry.state !== "Wanted") given.push(entry)
    }
    this.#unsubscribe(given, settle)
    if (this.empty) this.#options.onUnused()
  }

  /** The entries of a receiver, of one kind or all. */
  entriesOf(receiver: Receiver, kind?: Kind): ReadonlyArray<Entry> {
    const entries = [...this.#received.get(receiver) ?? []]
    return kind === undefined ? entries : entries.filter((entry) => entry.kind === kind)
  }

  find(kind: Kind, key: RedisArg.Key): Entry | undefined {
    return this.#entries[kind].get(idOf(key))
  }

  #add(receiver: Receiver, entry: Entry): boolean {
    const received = this.#received.get(receiver) ?? new Set()
    if (received.has(entry)) return false
    this.#received.set(receiver, received.add(entry))
    entry.receivers = [...entry.receivers, receiver]
    return true
  }

  #remove(receiver: Receiver, entry: Entry): boolean {
    const received = this.#received.get(receiver)
    if (received?.delete(entry) !== true) return false
    if (received.size === 0) this.#received.delete(receiver)
    entry.receivers = entry.receivers.filter((other) => other !== receiver)
    return true
  }

  #entry(kind: Kind, key: RedisArg.Key): Entry {
    const id = idOf(key)
    const known = this.#entries[kind].get(id)
    if (known !== undefined) return known
    const entry = new Entry(kind, id, key)
    this.#entries[kind].set(id, entry)
    return entry
  }

  /** Ends a joining that fails, or whose caller has gone away. */
  #giveUp(joining: Joining): void {
    for (const entry of joining.entries) entry.joining.delete(joining)
    this.leave(joining.receiver, joining.entries)
  }

  #failJoining(joining: Joining, error: CommandError): void {
    this.#giveUp(joining)
    joining.settle(Exit.fail(error))
  }

  // ---------------------------------------------------------------------------
  // Connections
  // ---------------------------------------------------------------------------

  /** Subscribes to everything on a new connection. */
  attach(exchange: Exchange): void {
    this.#exchange = exchange
    for (const entries of Object.values(this.#entries)) this.#subscribe([...entries.values()])
  }

  /** Takes the end of the connection: fails callers that wait for it, and tells the others of their gap. */
  detach(error: CommandError): void {
    this.#exchange = undefined
    const sent = this.#sent
    this.#sent = []
    for (const command of sent) {
      // A subscription is gone without its connection as well.
      if (command.verb.includes("unsub")) command.settle(Exit.void)
    }
    this.failJoining(error)
    this.#lose(this.all, "Disconnected", error)
    // The messages that came before bytes that are not RESP still count.
    this.flush()
  }

  /** Fails the callers that wait for a confirmation. */
  failJoining(error: CommandError): void {
    const waiting = new Set<Joining>()
    for (const entry of this.all) {
      for (const joining of entry.joining) waiting.add(joining)
    }
    for (const joining of waiting) this.#failJoining(joining, error)
  }

  /** Fails everybody, now and from now on. */
  close(error: CommandError): void {
    const receivers = [...this.#received.keys()]
    this.failJoining(error)
    for (const receiver of receivers) receiver.mailbox.fail(error)
  }

  /** Subscribes to an entry once more, on the same connection. */
  resubscribe(entry: Entry): void {
    this.#subscribe([entry])
  }

  /** Hands over the entries that belong on another connection by now. */
  rehome(): void {
    for (const entry of this.all) {
      if (this.#options.isElsewhere(entry)) this.#options.onMoved(entry)
    }
  }

  /** Gives an entry away, with its receivers, which now miss it. */
  surrender(entry: Entry): ReadonlyArray<Receiver> {
    const { receivers } = entry
    this.#entries[entry.kind].delete(entry.id)
    for (const receiver of receivers) {
      this.#remove(receiver, entry)
      const gap = this.#gaps.get(receiver)
      if (gap === undefined || !gap.missing.delete(entry)) continue
      gap.lost.delete(nameOf(entry))
      if (gap.missing.size > 0) continue
      this.#gaps.delete(receiver)
      if (gap.lost.size > 0) receiver.mailbox.event(this.#restored(receiver, gap))
    }
    if (this.empty) this.#options.onUnused()
    return receivers
  }

  /** Takes over an entry that another hub has given away. */
  adopt(given: Entry, receivers: ReadonlyArray<Receiver>): void {
    const entry = this.#entry(given.kind, given.key)
    for (const receiver of receivers) {
      this.#add(receiver, entry)
      const gap = this.#gaps.get(receiver) ?? { missing: new Set(), lost: new Map() }
      this.#gaps.set(receiver, gap)
      gap.missing.add(entry)
      gap.lost.set(nameOf(entry), entry)
      if (entry.state === "Active") this.#recover(receiver, entry)
    }
    if (entry.state === "Wanted") this.#subscribe([entry])
    this.#options.onDemand()
  }

  /**
   * Takes over for a receiver entries that this server publishes as well. The receiver has missed what the server has
   * published so far.
   */
  extend(receiver: Receiver, given: ReadonlyArray<Entry>): void {
    const received = this.#received.get(receiver)
    const fresh = given.filter(({ key, kind }) => {
      const own = this.find(kind, key)
      return own === undefined || received?.has(own) !== true
    })
    if (fresh.length === 0) return
    receiver.mailbox.event(this.#lost("Moved", fresh.map((entry) => shown(receiver, entry))))
    for (const entry of fresh) this.adopt(entry, [receiver])
  }

  /**
   * Notes that the server is silent: messages may be missing from here on, unless the server sends something after all.
   */
  doubt(error: CommandError): void {
    this.#miss(this.all.filter(({ state }) => state === "Active"), "Disconnected", error)
  }

  /** Notes that something has come after all, on the same connection, so no message of its subscriptions is missing. */
  trust(): void {
    for (const entry of this.all) {
      if (entry.state === "Active") { for (const receiver of entry.receivers) this.#recover(receiver, entry) }
    }
  }

  get all(): ReadonlyArray<Entry> {
    return Object.values(this.#entries).flatMap((entries) => [...entries.values()])
  }

  #lose(entries: ReadonlyArray<Entry>, reason: "Disconnected" | "Moved", error: CommandError | undefined): void {
    const active = entries.filter(({ state }) => state === "Active")
    for (const entry of entries) entry.state = "Wanted"
    this.#miss(active, reason, error)
  }

  #miss(entries: ReadonlyArray<Entry>, reason: "Disconnected" | "Moved", error: CommandError | undefined): void {
    const fresh = new Map<Receiver, Array<Shown>>()
    for (const entry of entries) {
      for (const receiver of entry.receivers) {
        const gap = this.#gaps.get(receiver) ?? { missing: new Set(), lost: new Map() }
        this.#gaps.set(receiver, gap)
        gap.missing.add(entry)
        // An entry that was reported as lost and has come back alone was not reported as restored.
        if (gap.lost.has(nameOf(entry))) continue
        gap.lost.set(nameOf(entry), entry)
        append(fresh, receiver, shown(receiver, entry))
      }
    }
    for (const [receiver, channels] of fresh) receiver.mailbox.event(this.#lost(reason, channels, error))
  }

  /** Notes that a receiver misses nothing of an entry any more: the entry is subscribed to again, or not wanted. */
  #recover(receiver: Receiver, entry: Entry): void {
    const gap = this.#gaps.get(receiver)
    if (gap === undefined || !gap.missing.delete(entry) || gap.missing.size > 0) return
    this.#gaps.delete(receiver)
    receiver.mailbox.event(this.#restored(receiver, gap))
  }

  #subscribed(receiver: Receiver, entry: Entry): Event<Shown> {
    return { _tag: "Subscribed", kind: entry.kind, channel: shown(receiver, entry), server: this.#options.server }
  }

  #lost(reason: "Disconnected" | "Moved", channels: ReadonlyArray<Shown>, error?: CommandError): Event<Shown> {
    return { _tag: "Lost", reason, channels, dropped: undefined, error, server: this.#options.server }
  }

  #restored(receiver: Receiver, gap: Gap): Event<Shown> {
    return { _tag: "Restored", channels: namesIn(receiver, gap), server: this.#options.server }
  }

  // ---------------------------------------------------------------------------
  // Commands
  // ---------------------------------------------------------------------------

  #subscribe(entries: ReadonlyArray<Entry>): void {
    if (this.#exchange === undefined) return
    for (const group of grouped(entries)) {
      for (const entry of group) entry.state = "Sent"
      this.#send(group[0]!.kind, group, (exit) => {
        if (Exit.isFailure(exit)) this.#refused(group, failureIn(exit))
      })
    }
  }

  #unsubscribe(entries: ReadonlyArray<Entry>, settle: (exit: Exit.Exit<void, CommandError>) => void): void {
    const groups = this.#exchange === undefined ? [] : grouped(entries)
    if (groups.length === 0) return settle(Exit.void)
    let outstanding = groups.length
    for (const group of groups) {
      this.#send(unsubscribeVerbs[group[0]!.kind], group, (exit) => {
        if (Exit.isFailure(exit)) settle(exit)
        else if (--outstanding === 0) settle(Exit.void)
      })
    }
  }

  #send(
    verb: string,
    entries: ReadonlyArray<Entry>,
    settle: (exit: Exit.Exit<void, CommandError>) => void
  ): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    const sent: Sent = { verb, unconfirmed: new Map(entries.map((entry) => [entry.id, entry])), settle }
    this.#sent.push(sent)
    exchange.submit(
      new SingleRequest(commandOf(verb, entries), undefined, (exit) => {
        // A command whose connection is lost is not in the list any more, or will be settled with it.
        if (exchange.closed || this.#sent[0] !== sent) return
        this.#sent.shift()
        settle(exit)
      })
    )
  }

  /**
   * Takes the refusal of a command. The server refuses all names because of one; which one it is shows when they are
   * sent alone.
   */
  #refused(entries: ReadonlyArray<Entry>, error: CommandError): void {
    const wanted = entries.filter((entry) => this.#entries[entry.kind].get(entry.id) === entry)
    if (entries.length > 1) {
      for (const entry of wanted) this.#subscribe([entry])
      return
    }
    for (const entry of wanted) {
      entry.state = "Wanted"
      // The loops run over copies, because a receiver that fails may subscribe again at once.
      const joining = Array.from(entry.joining)
      const before = entry.receivers.filter((receiver) => joining.every((other) => other.receiver !== receiver))
      for (const each of joining) this.#failJoining(each, error)
      if (before.length > 0 && this.#options.isElsewhere(entry)) return this.#options.onMoved(entry)
      if (before.length > 0 && isRetryable(error)) return this.#exchange?.close(error)
      for (const receiver of before) {
        // The messages that the receiver missed stay missing: nothing of the gap is restored.
        this.#gaps.delete(receiver)
        this.leave(receiver, [entry])
        receiver.mailbox.fail(error)
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
    const entry = this.#entryOf(by, name)
    if (entry === undefined || entry.state !== "Active") return
    const receivers = entry.receivers
    for (let i = 0; i < receivers.length; i++) {
      const receiver = receivers[i]!
      const { mailbox } = receiver
      try {
        mailbox.offer(messageFor(receiver, entry, kind, matched, payload, this.#options.replaceInvalidText))
      } catch (error) {
        if (!(error instanceof RedisReply.Mismatch)) throw error
        mailbox.fail(unreadable(entry, payload, error))
        continue
      }
      if (mailbox.idle) {
        mailbox.idle = false
        this.#toWake.push(mailbox)
      }
    }
  }

  /** Finds an entry by the name in a message. No text is made of a name that is that of the message before. */
  #entryOf(by: Kind, name: Resp.Value | undefined): Entry | undefined {
    const entries = this.#entries[by]
    const last = this.#last
    if (last !== undefined && name instanceof Resp.Bulk && name.spells(last.id) && entries.get(last.id) === last) {
      return last
    }
    return this.#last = entries.get(idOfReply(name))
  }

  #confirmation(verb: string, name: Resp.Value | undefined): boolean {
    const id = idOfReply(name)
    const first = this.#sent[0]
    const entry = first !== undefined && first.verb === verb ? first.unconfirmed.get(id) : undefined
    if (first === undefined || entry === undefined) {
      if (verb === "sunsubscribe") this.#moved(id)
      return false
    }
    first.unconfirmed.delete(id)
    if (verb === entry.kind) this.#confirmed(entry)
    return first.unconfirmed.size === 0
  }

  #confirmed(entry: Entry): void {
    entry.state = "Active"
    for (const { receiver } of entry.joining) {
      receiver.mailbox.event(this.#subscribed(receiver, entry))
    }
    for (const receiver of entry.receivers) this.#recover(receiver, entry)
    for (const joining of Array.from(entry.joining)) completed(joining, entry)
  }

  /** Takes the news that the server has unsubscribed from a shard channel, whose slot it has given up. */
  #moved(id: string): void {
    const entry = this.#entries.ssubscribe.get(id)
    if (entry === undefined || entry.state !== "Active") return
    this.#lose([entry], "Moved", undefined)
    this.#options.onMoved(entry)
  }
}

const append = (to: Map<Receiver, Array<Shown>>, receiver: Receiver, name: Shown): void => {
  const names = to.get(receiver)
  if (names === undefined) to.set(receiver, [name])
  else names.push(name)
}

const completed = (joining: Joining, entry: Entry): void => {
  entry.joining.delete(joining)
  joining.unconfirmed.delete(entry)
  if (joining.unconfirmed.size === 0) joining.settle(Exit.void)
}

// -----------------------------------------------------------------------------
// Names
// -----------------------------------------------------------------------------

/** A name with its kind, because a channel and a pattern may have the same name. */
export const nameOf = ({ id, kind }: Entry): string => `${kind} ${id}`

const namesIn = (receiver: Receiver, { lost }: Gap): ReadonlyArray<Shown> =>
  Array.from(lost.values(), (entry) => shown(receiver, entry))

const failureIn = (exit: Exit.Failure<void, CommandError>): CommandError => {
  const reason = exit.cause.reasons[0]
  if (reason?._tag === "Fail") return reason.error
  throw new Error("a subscription died", { cause: exit.cause })
}
