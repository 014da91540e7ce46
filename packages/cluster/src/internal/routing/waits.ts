/**
 * What commands wait for until they are sent again: a pause, the topology, a server, or a cluster that is up.
 */
import type { CommandError } from "@redfx/core/RedisError"
import { ofNoCommand } from "@redfx/core/unstable/Connection"
import { elapsed, Listeners } from "@redfx/core/unstable/Runtime"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { DownMasters } from "./downMasters.ts"
import type { Readings } from "./readings.ts"
import type { After, News } from "./verdictModel.ts"

/** The pause between two looks at whether a server is still down, for a command that waits for it. */
export const recoveryTick = Duration.millis(250)

/** - `requestReading`: has the topology read, by others than the one that was believed last. */
interface WaitsOptions {
  readonly readings: Readings
  readonly downMasters: DownMasters
  readonly requestReading: () => void
}

export class Waits {
  readonly #options: WaitsOptions
  readonly #clock: Clock.Clock
  /** The commands that wait for a server to be back or replaced. */
  readonly #recovering = new Listeners()

  constructor(options: WaitsOptions, clock: Clock.Clock) {
    this.#options = options
    this.#clock = clock
  }

  /** Whether somebody waits for a server, so that the topology is read again and again. */
  get isAwaited(): boolean {
    return this.#recovering.size > 0 || this.#options.downMasters.isAwaited
  }

  /** Has those go on that wait for a server, as one is back. */
  onReturn(): void {
    this.#recovering.tell()
  }

  /** Has those go on whose server was replaced. */
  onChange(isMaster: (address: string) => boolean): void {
    this.#recovering.tell()
    this.#options.downMasters.retain(isMaster)
  }

  /** Fails those who wait for a cluster that is up, as no server can be asked. */
  fail(error: CommandError): void {
    this.#options.downMasters.end(Effect.fail(error))
  }

  /** Has everybody go on, as nothing is sent any more. */
  close(): void {
    this.#recovering.tell()
    this.#options.downMasters.end(Effect.void)
  }

  /** Suspends until a server is back or was replaced, or for a moment. */
  readonly recovered: Effect.Effect<void> = Effect.raceFirst(
    Effect.callback<void>((resume) => {
      const leave = this.#recovering.once(() => resume(Effect.void))
      this.#options.requestReading()
      return Effect.sync(leave)
    }),
    Effect.suspend(() => this.#clock.sleep(recoveryTick))
  )

  /**
   * Suspends until the server that said that the cluster is down says that it is up, or is replaced, or the time is
   * over. Fails when the topology cannot be read.
   */
  readonly #news = ({ of, until }: News): Effect.Effect<void, CommandError> =>
    Effect.suspend(() => {
      this.#options.requestReading()
      return Effect.raceFirst(
        Effect.mapError(this.#options.downMasters.until(of), ofNoCommand),
        this.#clock.sleep(Duration.millis(until - elapsed(this.#clock)))
      )
    })

  /** Waits as a verdict says. Fails when the topology cannot be read, or the client is closed. */
  readonly wait = (after: After): Effect.Effect<void, CommandError> => {
    const { readings } = this.#options
    const open = Effect.suspend(() => readings.closed === undefined ? Effect.void : Effect.fail(readings.closed))
    return Effect.andThen(open, Effect.andThen(this.#waited(after), open))
  }

  #waited(after: After): Effect.Effect<void, CommandError> {
    const { readings } = this.#options
    switch (after) {
      case "topology":
        return readings.outcome
      case "reading":
        return Effect.suspend(() => readings.isReading ? readings.outcome : Effect.void)
      case "recovery":
        return this.recovered
      default:
        if (typeof after !== "number") return this.#news(after)
        return after === 0 ? Effect.void : this.#clock.sleep(Duration.millis(after))
    }
  }
}
