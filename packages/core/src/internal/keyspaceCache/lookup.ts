/**
 * Looks entries of a cache up.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { CommandError } from "../../RedisError.ts"
import { mayHaveRun } from "../error/retry.ts"
import type { KeyspaceError } from "../keyspace/model.ts"
import { elapsed } from "../runtime/elapsed.ts"
import type { Restore } from "../runtime/restore.ts"
import { quietly } from "../telemetry/spans.ts"
import type { LocalEntries } from "./localEntries.ts"
import * as Scripts from "./scripts.ts"
import { release } from "./shared.ts"
import type { Grant, Shared } from "./shared.ts"

/** The result of a look: a value, the right to load it, or that another caller has that right. */
export type Sight<A> =
  | { readonly _tag: "Known"; readonly value: Option.Option<A>; readonly renew: Grant | undefined }
  | { readonly _tag: "Granted"; readonly grant: Grant }
  | { readonly _tag: "Elsewhere"; readonly refused: Uint8Array | undefined }

/**
 * A value that is there.
 *
 * - `since`: the moment at which the look began that has found it.
 */
interface Seen<A> {
  readonly value: Option.Option<A>
  readonly since: number
}

/**
 * - `peek`: what is there. `look`: what is there, here or on the server, else the lease where it may be had; in an
 *   uninterruptible region. `wait`: looks until a value is there; `undefined` where there is something to be done, or
 *   the server says nothing.
 */
export interface Lookup<A> {
  readonly peek: (key: string) => Effect.Effect<Option.Option<A>, CommandError | KeyspaceError>
  readonly look: (key: string, spread: number, restore: Restore) => Effect.Effect<Sight<A>, CommandError>
  readonly wait: (
    key: string,
    refused: Uint8Array | undefined,
    moment: () => number
  ) => Effect.Effect<Seen<A> | undefined>
}

export const make = <Id, A, E, R>(shared: Shared<Id, A, E, R>, local: LocalEntries | undefined): Lookup<A> => {
  const { clock, codec, own, run, settings } = shared

  const decode = (found: Scripts.Found, key: string): Effect.Effect<Option.Option<A>, KeyspaceError> =>
    found.value === undefined ? Effect.succeedNone : Effect.asSome(codec.decode(found.value, key))

  const lookUp = (key: string, look: Scripts.Look) =>
    Effect.suspend(() => {
      const askedAt = elapsed(clock)
      return Effect.tap(
        run(Scripts.look(key, look)),
        ({ now }) => local?.synchronize(now, askedAt) ?? Effect.void
      )
    })

  /**
   * Looks an entry up and gives the lease back when the caller never learns the outcome, because it must not keep
   * others from loading.
   */
  const lookOrUndo = (key: string, look: Scripts.Look, restore: Restore) =>
    restore(lookUp(key, look)).pipe(
      Effect.onInterrupt(() => release(shared, look.token, key)),
      Effect.tapError((error) => mayHaveRun(error) ? release(shared, look.token, key) : Effect.void)
    )

  /** Asks the server. A value that does not fit the schema counts as absent. */
  const ask = (
    key: string,
    spread: number,
    restore: Restore,
    refused?: Uint8Array
  ): Effect.Effect<Sight<A>, CommandError> =>
    Effect.suspend(() => {
      const grant: Grant = { token: shared.token(), since: elapsed(clock) }
      const looking = lookOrUndo(key, { token: grant.token, lease: settings.limit, spread, refused }, restore)
      return Effect.flatMap(looking, (found): Effect.Effect<Sight<A>, CommandError> => {
        const granted = found.lease === "granted" ? grant : undefined
        if (!found.known) {
          return Effect.succeed(granted === undefined ? { _tag: "Elsewhere", refused } : { _tag: "Granted", grant })
        }
        return Effect.matchEffect(decode(found, key), {
          onSuccess: (value): Effect.Effect<Sight<A>, CommandError> =>
            Effect.succeed({ _tag: "Known", value, renew: granted }),
          onFailure: () =>
            granted === undefined
              ? ask(key, spread, restore, found.version)
              : Effect.succeed({ _tag: "Granted", grant })
        })
      })
    })

  /** A look that takes no lease. */
  const peeking: Scripts.Look = { token: "", lease: settings.limit, spread: 0, refused: undefined }

  return {
    peek: (key) =>
      Effect.flatMap(lookUp(key, peeking), (found) => found.known ? decode(found, key) : Effect.succeedNone),
    look: (key, spread, restore) =>
      local === undefined ? ask(key, spread, restore) : Effect.flatMap(
        restore(local.look(key, spread, (found) => decode(found, key))),
        (value): Effect.Effect<Sight<A>, CommandError> =>
          value === undefined ? ask(key, spread, restore) : Effect.succeed({ _tag: "Known", value, renew: undefined })
      ),
    wait: (key, refused, moment) =>
      own(quietly(() =>
        Effect.gen(function*() {
          const startedAt = elapsed(clock)
          for (;;) {
            yield* Effect.sleep(pauseAfter(elapsed(clock) - startedAt))
            const since = moment()
            const found = yield* Effect.option(lookUp(key, { ...peeking, refused }))
            if (Option.isNone(found)) return undefined
            if (found.value.known) {
              const value = yield* Effect.option(decode(found.value, key))
              return Option.map(value, (value) => ({ value, since })).pipe(Option.getOrUndefined)
            }
            if (found.value.lease === "none") return undefined
          }
        })
      ))
  }
}

/**
 * The pause between two looks, a quarter of the time that the caller has waited. So the caller is late by no more than
 * that.
 */
const pauseAfter = (waited: number): number => Math.min(Math.max(waited / 4, 5), 1000)
