/**
 * Events that no message stands between. A gap that goes on there is one gap: while slots move and servers close one
 * connection after the other, and nobody consumes, events must not fill the memory.
 */
import type { Event, Lost, Restored } from "../../RedisPubSub.ts"
import type { Shown } from "./channelNames.ts"

/** The end of gaps, with the channels whose gaps do not go on. They are listed once a loss comes, which most do not see. */
class End {
  readonly event: Restored<Shown>
  names: Map<string, Shown> | undefined = undefined

  constructor(event: Restored<Shown>) {
    this.event = event
  }
}

export class EventRun {
  readonly #items = new Set<Exclude<Event<Shown>, Restored<Shown>> | End>()
  /** The ends of gaps by channel and server, and those that are not listed there yet. */
  readonly #ends = new Map<string, End>()
  #unlisted: Array<End> = []

  get size(): number {
    return this.#items.size
  }

  /** Adds an event. The loss of a channel at the server that has just restored it continues that gap. */
  add(event: Event<Shown>): void {
    switch (event._tag) {
      case "Subscribed":
        this.#items.add(event)
        return
      case "Lost": {
        const channels = this.#continue(event)
        if (channels.length > 0) this.#items.add(withChannels(event, channels))
        return
      }
      case "Restored": {
        const end = new End(event)
        this.#items.add(end)
        this.#unlisted.push(end)
      }
    }
  }

  /** Takes the events out. */
  takeAll(): ReadonlyArray<Event<Shown>> {
    const events = Array.from(this.#items, (item) => {
      if (!(item instanceof End)) return item
      return item.names === undefined ? item.event : withChannels(item.event, [...item.names.values()])
    })
    this.#items.clear()
    this.#ends.clear()
    this.#unlisted = []
    return events
  }

  /** Takes back the ends of the gaps that go on; returns the channels whose gaps begin. */
  #continue({ channels, server }: Lost<Shown>): ReadonlyArray<Shown> {
    this.#list()
    if (this.#ends.size === 0) return channels
    const keys = keysOf(channels, server)
    const fresh = channels.filter((_, index) => !this.#ends.has(keys[index]!))
    for (const key of keys) {
      const end = this.#ends.get(key)
      this.#ends.delete(key)
      end?.names?.delete(key)
      if (end?.names?.size === 0) this.#items.delete(end)
    }
    return fresh
  }

  #list(): void {
    for (const end of this.#unlisted) {
      const { channels, server } = end.event
      const keys = keysOf(channels, server)
      end.names = new Map(channels.map((channel, index) => [keys[index]!, channel]))
      for (const key of end.names.keys()) this.#ends.set(key, end)
    }
    this.#unlisted = []
  }
}

/**
 * A key for each channel at a server. A channel, a pattern and a shard channel may have the same name, and an event then has that
 * name several times. The reader of the event cannot tell them apart, so they are told apart by their number.
 */
const keysOf = (channels: ReadonlyArray<Shown>, server: string | undefined): ReadonlyArray<string> => {
  const numbers = new Map<string, number>()
  return channels.map((channel) => {
    const name = String(channel)
    const number = numbers.get(name) ?? 0
    numbers.set(name, number + 1)
    return `${number} ${server} ${name}`
  })
}

const withChannels = <E extends Lost<Shown> | Restored<Shown>>(event: E, channels: ReadonlyArray<Shown>): E =>
  channels.length === event.channels.length ? event : { ...event, channels }
