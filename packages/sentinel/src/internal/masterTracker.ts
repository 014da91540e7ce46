/**
 * Which server is the master, as far as a client knows, and the client's
 * connections that depend on that.
 *
 * @internal
 */
import type { RedisEvent } from "@redfx/core/RedisClient"
import type { RedisConnection } from "@redfx/core/RedisConnection"
import { connectionLoss } from "@redfx/core/RedisError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { demoted } from "./failures.ts"

/** What the server of a connection has to be. */
export type Role = "master" | "replica"

export class MasterTracker {
  /** Done when there is a first connection. */
  readonly begun = Deferred.makeUnsafe<void>()
  readonly #service: string
  readonly #onEvent: (event: RedisEvent) => void
  readonly #open = new Map<RedisConnection, Role>()
  #address: string | undefined = undefined
  #changes = 0

  constructor(service: string, onEvent: (event: RedisEvent) => void) {
    this.#service = service
    this.#onEvent = onEvent
  }

  /** The address of the master; `undefined` as long as nobody asked. */
  get address(): string | undefined {
    return this.#address
  }

  /** How often another server has become the master. */
  get changes(): number {
    return this.#changes
  }

  /** Whether there is an open connection. */
  get inUse(): boolean {
    return [...this.#open.keys()].some(({ exchange }) => !exchange.closed)
  }

  /** Keeps a connection in view until the scope closes. */
  add(connection: RedisConnection, role: Role): Effect.Effect<void, never, Scope.Scope> {
    return Effect.andThen(
      Effect.addFinalizer(() => Effect.sync(() => this.#open.delete(connection))),
      Effect.sync(() => {
        this.#open.set(connection, role)
        Deferred.doneUnsafe(this.begun, Effect.void)
      })
    )
  }

  /** Takes note of the master's address, and closes connections to servers that are not what they were opened for. */
  becomes(address: string): void {
    const previous = this.#address
    if (previous === address) return
    this.#address = address
    if (previous !== undefined) {
      this.#changes++
      this.#onEvent({ _tag: "MasterChanged", service: this.#service, address, previous })
    }
    for (const [connection, role] of this.#open) {
      const isMaster = connection.address === address
      if (role === "master" && !isMaster) connection.close(demoted(connection.address))
      if (role === "replica" && isMaster) connection.close(promoted(address))
    }
  }
}

const promoted = (address: string) => connectionLoss("Closed", "The replica has become the master", address)
