/**
 * Where subscriptions go: any server delivers what is published anywhere; a
 * shard channel is subscribed to where its slot is served.
 *
 * @internal
 */
import type { RedisEvent } from "@redfx/core/RedisClient"
import type { RedisConnection } from "@redfx/core/RedisConnection"
import { RedisConnector } from "@redfx/core/RedisConnector"
import type { Subscribers as RouterSubscribers } from "@redfx/core/RedisRouter"
import * as Effect from "effect/Effect"
import { lossOf } from "./loss.ts"
import type { Node } from "./nodes.ts"
import { slotOf } from "./slot.ts"
import type { State } from "./state.ts"
import { parseAddress } from "./topology.ts"

const anywhere = ""

export class Subscribers {
  readonly #state: State
  readonly #connector: RedisConnector["Service"]
  readonly #open = new Set<RedisConnection>()
  /** The server that was good last time: another one may tell once more what this one has told already. */
  #last: Node | undefined = undefined
  readonly onEvent: (event: RedisEvent) => void

  constructor(state: State, connector: RedisConnector["Service"], onEvent: (event: RedisEvent) => void) {
    this.#state = state
    this.#connector = connector
    this.onEvent = onEvent
  }

  readonly place: RouterSubscribers["place"] = (kind, channel) =>
    kind === "ssubscribe" ? this.#state.routeOf(slotOf(channel))?.master.address ?? anywhere : anywhere

  readonly connect: RouterSubscribers["connect"] = (place, owner) =>
    Effect.gen({ self: this }, function*() {
      yield* this.#state.known
      const endpoint = place === anywhere ? undefined : parseAddress(place, { host: "", port: 0 })
      const node = endpoint === undefined ? this.#anywhere() : this.#state.nodes.at(endpoint)
      if (node === undefined) return yield* Effect.die(new Error("a topology without nodes"))
      const connection = yield* Effect.tapError(
        node.source.open(owner),
        () =>
          Effect.sync(() => {
            if (this.#last === node) this.#last = undefined
            this.#state.requestRefresh(true)
          })
      )
      this.#open.add(connection)
      yield* Effect.addFinalizer(() => Effect.sync(() => this.#open.delete(connection)))
      return connection
    }).pipe(Effect.provideService(RedisConnector, this.#connector))

  #anywhere(): Node | undefined {
    const { members } = this.#state
    if (this.#last === undefined || !members.includes(this.#last)) this.#last = anyOf(members)
    return this.#last
  }

  /** Ends the connections to servers that left the cluster: they are up, perhaps, but nothing is told there any more. */
  retain(addresses: ReadonlySet<string>): void {
    for (const connection of this.#open) {
      if (addresses.has(connection.address)) continue
      connection.close(lossOf("Closed", "The cluster does not name the server any more", connection.address))
    }
  }
}

const anyOf = <A>(all: ReadonlyArray<A>): A | undefined => all[Math.floor(Math.random() * all.length)]
