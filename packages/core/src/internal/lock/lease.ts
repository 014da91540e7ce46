/**
 * Leases: acquired, kept alive, and given back. {@link Ways} says what that means on the server.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { TimeToLive } from "../../RedisArg.ts"
import { RedisClient } from "../../RedisClient.ts"
import type * as RedisCommand from "../../RedisCommand.ts"
import { isRetryable, LockError, LockNotOwnedError } from "../../RedisError.ts"
import type { CommandError, DataError, LockLikeError } from "../../RedisError.ts"
import { handling, isRunnable, noEffect } from "../argument/effects.ts"
import * as Options from "../argument/options.ts"
import { Lines } from "../client/lines.ts"
import { deliveryOf } from "../connection/sent.ts"
import { failureOf, timeLimit } from "../error/events.ts"
import { quoted } from "../error/printable.ts"
import { mayHaveRun } from "../error/retry.ts"
import { stackless } from "../error/stackless.ts"
import { elapsedNow } from "../runtime/elapsed.ts"
import { Once } from "../runtime/once.ts"
import type { Restore } from "../runtime/restore.ts"
import { uuid } from "../runtime/uuid.ts"
import { traced } from "../telemetry/spans.ts"
import { keepAlive } from "./keepAlive.ts"
import type { ExtendMode } from "./tokenScripts.ts"
import { undone } from "./undoing.ts"

// -----------------------------------------------------------------------------
// Models
// -----------------------------------------------------------------------------

/**
 * Options of {@link LockHandle.extend}: with `replace` the duration is the whole
 * time to live from now on, otherwise it is added to what is left.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExtendOptions {
  /** Whether the duration is the whole time to live from now on. Default `false`: it is added to what is left. */
  readonly replace?: boolean | undefined
}

/**
 * A lock that was acquired. It works on the client that acquired it.
 *
 * **Details**
 *
 * `release`, `extend` and `reacquire` fail with `LockNotOwnedError` when the lock has expired, or is somebody else's by
 * now; with `LockError` of the reason `NotHeld` when the handle is unlocked. `extend` and `reacquire` fail with
 * `LockError` of the reason `NoTimeout` when the lock was made without `ttl`.
 *
 * @category models
 * @since 0.1.0
 */
export interface LockHandle {
  /** The name of the lock, which is its key. */
  readonly name: string
  /** What the lock holds while it is this handle's. */
  readonly token: string
  /**
   * Higher than that of every holder before: than all that the server knows of, and than the microseconds of its clock when others
   * were given theirs. So a failover that loses the last writes repeats none, unless the clock of the new master is behind by
   * more than the failover took. `undefined` unless the option `fencing` asks for it.
   */
  readonly fencingToken: number | undefined
  /**
   * Frees the lock. The handle counts as unlocked from then on, also when that fails. It is given up with `TimeoutError`
   * when the lock is over by itself, after a second at the earliest.
   */
  readonly release: Effect.Effect<void, CommandError | LockLikeError>
  /** Prolongs its life; by nothing or less is `DataError`. */
  readonly extend: (duration: TimeToLive, options?: ExtendOptions) => Effect.Effect<void, CommandError | LockLikeError>
  /** Sets its life back to `ttl`. */
  readonly reacquire: Effect.Effect<void, CommandError | LockLikeError>
  /** Whether the lock holds this handle's token. */
  readonly owned: Effect.Effect<boolean, CommandError>
  /** Whether anybody has the lock. */
  readonly locked: Effect.Effect<boolean, CommandError>
  /** Fails once automatic extension finds that the lock is lost; without it, never. */
  readonly lost: Effect.Effect<never, LockNotOwnedError>
}

// -----------------------------------------------------------------------------
// Acquiring
// -----------------------------------------------------------------------------

/**
 * The commands of a lease. Each returns whether it did what it was sent for, `acquire` what it took.
 *
 * - `most`: how many leases there can be at once.
 */
export interface Ways {
  readonly most: number
  readonly acquire: (token: string) => RedisCommand.RedisCommand<Taken | undefined>
  readonly release: (token: string) => RedisCommand.RedisCommand<boolean>
  readonly extend: (token: string, milliseconds: number, mode: ExtendMode) => On<boolean>
  readonly owned: (token: string) => On<boolean>
  readonly locked: On<boolean>
}

type On<A> = Effect.Effect<A, CommandError, RedisClient>

/** `left`: how many more there are. */
export interface Taken {
  readonly fencingToken: number | undefined
  readonly left: number
}

/**
 * The options with their defaults; times in milliseconds.
 *
 * - `kind`: what errors call it.
 * - `token`: one that was given. `makeToken`: makes one for each time otherwise.
 */
export interface Settings {
  readonly name: string
  readonly kind: LockError["kind"]
  readonly ways: Ways
  readonly ttl: number | undefined
  readonly retryInterval: number
  readonly waitTimeout: number
  readonly token?: string | undefined
  readonly makeToken?: (() => string) | undefined
  readonly autoExtend: boolean
}

/** The times that a lease is tried for, by the options of locks and semaphores. What is wrong is refused. */
export const triesOf = (options: {
  readonly retryInterval?: Duration.Input | undefined
  readonly waitTimeout?: Duration.Input | undefined
}) => ({
  // Without a pause the tries of one caller would keep a server busy.
  retryInterval: Math.max(Options.milliseconds("retryInterval", options.retryInterval ?? 100), 1),
  waitTimeout: Options.milliseconds("waitTimeout", options.waitTimeout ?? Infinity)
})

/** Settings, or what is wrong with the options that they are made of: then nothing is acquired. */
type Given = Effect.Effect<Settings, DataError>

/** The ways in which an effect or a scope can hold a lease. `of`: what errors call the function that runs an effect. */
export const make = (of: string, given: Given) => ({
  tryAcquire: acquireFor(given, tryOnce),
  acquire: acquireFor(given, acquire),
  scoped: Effect.uninterruptibleMask((
    restore
  ): Effect.Effect<LockHandle, CommandError | LockError, RedisClient | Scope.Scope> =>
    Effect.gen(function*() {
      const held = yield* acquireOrFail(given, restore)
      yield* Effect.addFinalizer(() => held.giveBack)
      // The extension ends before the lock is given back, because finalizers run last one first.
      if (held.keepAlive !== undefined) yield* Effect.forkScoped(Effect.interruptible(held.keepAlive))
      return held.handle
    })
  ),
  holding: <A, E, R>(
    effect: Effect.Effect<A, E, R> | ((handle: LockHandle) => Effect.Effect<A, E, R>)
  ): Effect.Effect<A, E | CommandError | LockLikeError, R | RedisClient> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        if (!isRunnable(effect)) return yield* noEffect(of, effect)
        const held = yield* acquireOrFail(given, restore)
        const body = handling(of, () => Effect.isEffect(effect) ? effect : effect(held.handle))
        // It goes on until a body that is interrupted has ended; within the race it would be interrupted together with the body.
        const extending = held.keepAlive && (yield* Effect.forkChild(held.keepAlive, { startImmediately: true }))
        const exit = yield* Effect.exit(
          restore(extending === undefined ? body : Effect.raceFirst(body, Fiber.join(extending)))
        )
        if (extending !== undefined) yield* Fiber.interrupt(extending)
        yield* Exit.isSuccess(exit) && held.isHeld ? held.handle.release : held.giveBack
        return yield* exit
      })
    )
})

/** What errors call a lease. */
type Named = Pick<Settings, "name" | "kind">

const refused = ({ kind, name }: Named, reason: LockError["reason"]): LockError =>
  stackless(() => new LockError({ name, reason, kind }))

const notOwned = (named: Named): LockNotOwnedError => stackless(() => new LockNotOwnedError(named))

type Acquire = (settings: Settings, restore: Restore) => On<Held | undefined>

const acquireFor = (given: Given, acquire: Acquire) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(given, (settings) => Effect.map(acquire(settings, restore), (held) => held?.handle))
  )

/** Tries once, even while others wait. */
const tryOnce: Acquire = (settings, restore) => heldBy(settings, restore, (ask) => ask)

/** Tries when it is its turn, until the lock is taken, or the next try would be too late. */
const acquire: Acquire = (settings, restore) =>
  heldBy(settings, restore, (ask) =>
    lines.wait(lineOf(settings), {
      size: 1,
      most: settings.ways.most,
      ask,
      told: ({ taken }) => {
        const room = taken?.left ?? 0
        return { granted: taken !== undefined, room, pause: room > 0 ? 0 : settings.retryInterval }
      },
      pausesFrom: "answer",
      waitTimeout: settings.waitTimeout,
      late: (last) => ({ ...last, taken: undefined }),
      jitter
    }, restore))

/** Holds what `tries` takes with the attempt that it is given. */
const heldBy = (
  settings: Settings,
  restore: Restore,
  tries: (ask: Effect.Effect<Tried, CommandError>) => On<Tried>
): On<Held | undefined> =>
  Effect.flatMap(RedisClient, (client) =>
    Effect.flatMap(elapsedNow, (now) => {
      const wanted = { token: tokenOf(settings), stopAt: now + settings.waitTimeout }
      return Effect.map(
        tries(attempt(client, settings, wanted, restore)),
        (tried) => tried.taken && new Held(client, settings, tried, tried.taken)
      )
    }))

const lines = new Lines<Tried>()

/** The name of a line. A caller with other options stands in another line: it may get another answer, or ask at another time. */
const lineOf = ({ kind, name, retryInterval, ways: { most } }: Settings): string =>
  `${kind} ${most} ${retryInterval} ${name}`

const tokenOf = ({ makeToken = uuid, token = makeToken() }: Settings): string => token

/** The part by which a pause is longer at the most, so that waiting callers do not all come at once. */
const jitter = 0.25

const acquireOrFail = (
  given: Given,
  restore: Restore
): Effect.Effect<Held, CommandError | LockError, RedisClient> =>
  Effect.flatMap(given, (settings) =>
    Effect.flatMap(
      acquire(settings, restore),
      (held) =>
        held === undefined
          ? refused(settings, "NotAcquired")
          : Effect.succeed(held)
    ))

/** What a try has taken, with which token, and when it began. */
interface Tried {
  readonly token: string
  readonly at: number
  readonly taken: Taken | undefined
}

/** Tries once to take a lease by a time. A caller that never learns the outcome must not keep others out. */
const attempt = (
  client: RedisClient["Service"],
  settings: Settings,
  { stopAt, token }: { readonly token: string; readonly stopAt: number },
  restore: Restore
): Effect.Effect<Tried, CommandError> =>
  Effect.flatMap(elapsedNow, (at) => {
    const command = settings.ways.acquire(token)
    const request = command.settled ?? client.execute(command)
    const answer = Effect.map(traced(command, client, request), (taken): Tried => ({ token, at, taken }))
    const undo = Effect.flatMap(
      undoing(client, settings, token),
      // A reserved connection is closed when its holder ends, with what is still under way on it.
      (fiber) => client.session === undefined ? Effect.void : Effect.timeoutOption(Fiber.await(fiber), patience)
    )
    // Until there is an answer the lock may hold a given token already, so it cannot be known what to undo.
    const isOurs = settings.token === undefined
    const tried = isOurs
      ? restore(answer).pipe(
        Effect.onInterrupt(() => deliveryOf(request) === "not-sent" ? Effect.void : undo),
        Effect.tapError((error) => mayHaveRun(error) ? undo : Effect.void)
      )
      : answer
    return Effect.flatMap(tried, (tried) => {
      const { taken } = tried
      if (taken === undefined) return Effect.succeed(tried)
      const giveBack = isOurs ? undo : Effect.suspend(() => new Held(client, settings, tried, taken).giveBack)
      return restore(renewedIfLate(client, settings, tried, stopAt)).pipe(
        Effect.onError(() => giveBack),
        Effect.tap((renewed) => renewed === "late" ? giveBack : Effect.void),
        Effect.map((renewed) => typeof renewed === "object" ? renewed : { ...tried, taken: undefined })
      )
    })
  })

type Renewed = Tried | "gone" | "late"

/**
 * Renews a lease whose answer came so late that half of its life is over, or all of it: the server may have stood still between
 * taking and answering. One whose renewal takes as long is held if it does not count as lost by then. When the time is over,
 * a lease is what it is. `"gone"` is as if it had not been free; `"late"` may still be there.
 */
const renewedIfLate = (
  client: RedisClient["Service"],
  settings: Settings,
  tried: Tried,
  stopAt: number,
  isRenewed = false
): Effect.Effect<Renewed, CommandError> => {
  const { ttl = Infinity, ways } = settings
  return Effect.flatMap(elapsedNow, (now) => {
    const age = now - tried.at
    const isLost = age >= ttl - marginOf(ttl)
    if (!isLost && (isRenewed || age < ttl / 2 || now >= stopAt)) return Effect.succeed(tried)
    if (now >= stopAt) return Effect.succeed("late")
    const renew = on(client, ways.extend(tried.token, ttl, "atLeast"))
    return Effect.flatMap(
      Effect.timeoutOrElse(renew, { duration: stopAt - now, orElse: () => Effect.undefined }),
      (owned): Effect.Effect<Renewed, CommandError> => {
        if (owned === false) return Effect.succeed("gone")
        return owned === true
          ? renewedIfLate(client, settings, { ...tried, at: now }, stopAt, true)
          : renewedIfLate(client, settings, tried, -Infinity, isRenewed)
      }
    )
  })
}

/** How long an attempt on a reserved connection waits at the most until it is undone. */
const patience = "1 second"

/**
 * Releases in the background a lock that an attempt may have taken. The release goes the same way as the attempt, behind it,
 * so that the server runs it afterwards.
 */
const undoing = (
  client: RedisClient["Service"],
  { ttl = Infinity, ways }: Settings,
  token: string
): Effect.Effect<Fiber.Fiber<void>> =>
  Effect.forkDetach(
    Effect.flatMap(elapsedNow, (time) => undone(client, { release: ways.release(token), until: time + ttl })),
    { startImmediately: true }
  )

/**
 * Has the next of the line try at once, as something was given back. When this client has had it from hand to hand for long
 * enough, the next pauses as if it was refused, in which the waiting callers of other programs find it free.
 */
const handOn = (client: RedisClient["Service"], settings: Settings): Effect.Effect<void> =>
  Effect.map(elapsedNow, (now) => {
    const { retryInterval } = settings
    lines.handOn(client, lineOf(settings), { now, longest: longestRun * retryInterval, pause: retryInterval })
  })

/** For how many pauses callers of one client hand on what they have among themselves. */
const longestRun = 10

const on = <A, E>(client: RedisClient["Service"], effect: Effect.Effect<A, E, RedisClient>): Effect.Effect<A, E> =>
  Effect.provideService(effect, RedisClient, client)

// -----------------------------------------------------------------------------
// Holding
// -----------------------------------------------------------------------------

/** A lease that was acquired, as this module sees it. */
class Held {
  readonly handle: LockHandle
  /** Extends the lease until that finds it lost, which is its failure. Absent where nothing is to be extended. */
  readonly keepAlive: Effect.Effect<never, LockNotOwnedError> | undefined
  readonly #client: RedisClient["Service"]
  readonly #settings: Settings
  readonly #token: string
  readonly #named: Named
  readonly #loss = new Once<never, LockNotOwnedError>()
  #isHeld = true
  /** Whether the lease was lost by silence: the server may have renewed it since, or may do so. */
  #mayBeLeft = false
  /**
   * The time until which the lease is certainly valid. It counts from the request, which is before the server began to
   * count.
   */
  #validUntil: number
  /** The milliseconds before that in which it counts as lost, so that its holder has ended when it is over. */
  #margin: number
  /** Opened each time that this is sooner than before. */
  readonly #shortened = Latch.makeUnsafe()

  constructor(client: RedisClient["Service"], settings: Settings, { at, token }: Tried, { fencingToken }: Taken) {
    const { autoExtend, kind, name, ttl, ways } = settings
    this.#client = client
    this.#settings = settings
    this.#token = token
    this.#named = { name, kind }
    this.#validUntil = at + (ttl ?? Infinity)
    this.#margin = marginOf(ttl ?? Infinity)
    this.handle = {
      name,
      token,
      fencingToken,
      release: this.#release(),
      extend: (duration, options) =>
        this.#extend(
          // By zero or less it would delete the lock, and by a time without end it could not be sent.
          () => Options.readOptions("LockHandle.extend", () => Options.life("duration", duration)),
          options?.replace === true ? "replace" : "add"
        ),
      reacquire: this.#extend(Effect.succeed, "replace"),
      owned: Effect.suspend(() => this.#isHeld ? on(client, ways.owned(token)) : Effect.succeed(false)),
      locked: on(client, ways.locked),
      lost: this.#loss.outcome
    }
    this.keepAlive = autoExtend && ttl !== undefined ? this.#keptAlive(ttl) : undefined
  }

  /** Whether the handle counts as holding the lease. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Releases the lease if it is held; that it could not be is logged. What may be left of a lost one is released behind it. */
  get giveBack(): Effect.Effect<void> {
    const { kind, name } = this.#named
    return Effect.suspend((): Effect.Effect<unknown, CommandError | LockLikeError> => {
      if (this.#isHeld) return this.handle.release
      // A given token may be that of the next holder.
      const isLeft = this.#mayBeLeft && this.#settings.token === undefined
      return isLeft ? undoing(this.#client, this.#settings, this.#token) : Effect.void
    }).pipe(
      Effect.asVoid,
      Effect.catch((error) => Effect.logWarning(`The ${kind} ${quoted(name)} could not be released`, error))
    )
  }

  #whileHeld(
    act: () => Effect.Effect<boolean, CommandError | LockError>
  ): Effect.Effect<void, CommandError | LockLikeError> {
    return Effect.suspend((): Effect.Effect<void, CommandError | LockLikeError> =>
      this.#isHeld
        ? Effect.flatMap(act(), (owned) => owned ? Effect.void : notOwned(this.#named))
        : refused(this.#named, "NotHeld")
    )
  }

  #release(): Effect.Effect<void, CommandError | LockLikeError> {
    const client = this.#client
    const settings = this.#settings
    return Effect.uninterruptible(this.#whileHeld(() => {
      this.#isHeld = false
      const release = Effect.tapError(
        Effect.tap(on(client, settings.ways.release(this.#token)), handOn(client, settings)),
        // A given token may be that of the next holder by the time that the server is there again.
        (error) =>
          settings.token === undefined && (isRetryable(error) || mayHaveRun(error))
            ? undoing(client, settings, this.#token)
            : Effect.void
      )
      return settings.ttl === undefined
        ? release
        : Effect.flatMap(
          elapsedNow,
          (time) => untilOver(Math.max(Math.ceil(this.#validUntil - time), shortestRelease), release)
        )
    }))
  }

  #extend(
    duration: (ttl: number) => Effect.Effect<number, DataError>,
    mode: "add" | "replace"
  ): Effect.Effect<void, CommandError | LockLikeError> {
    const { ttl } = this.#settings
    return this.#whileHeld(() =>
      ttl === undefined
        ? refused(this.#named, "NoTimeout")
        : Effect.flatMap(duration(ttl), (milliseconds) => this.#change(milliseconds, mode))
    )
  }

  #change(duration: number, mode: ExtendMode): Effect.Effect<boolean, CommandError> {
    return Effect.flatMap(elapsedNow, (startedAt) => {
      const renewed = startedAt + duration
      // The server may make the life shorter from now on, whether its answer arrives or not.
      if (mode === "replace" && renewed < this.#validUntil) {
        this.#lives(renewed, duration)
        this.#shortened.openUnsafe()
      }
      return Effect.map(on(this.#client, this.#settings.ways.extend(this.#token, duration, mode)), (owned) => {
        if (owned && mode === "add") this.#validUntil += duration
        else if (owned && (mode === "replace" || renewed > this.#validUntil)) this.#lives(renewed, duration)
        return owned
      })
    })
  }

  #lives(until: number, duration: number): void {
    this.#validUntil = until
    this.#margin = marginOf(duration)
  }

  #keptAlive(ttl: number): Effect.Effect<never, LockNotOwnedError> {
    return keepAlive({
      client: this.#client,
      renew: this.#change(ttl, "atLeast"),
      ttl,
      validUntil: () => this.#validUntil,
      lostAt: () => this.#validUntil - this.#margin,
      shortened: this.#shortened
    }).pipe(
      Effect.flatMap((end) => {
        this.#isHeld = false
        this.#mayBeLeft = end === "silence"
        const error = notOwned(this.#named)
        this.#loss.end(Exit.fail(error))
        return error
      })
    )
  }
}

/**
 * How long before its end a lease of so many milliseconds counts as lost. Timers are late by what else a program does, an
 * interruption takes turns of the event loop, and clocks do not go alike.
 */
const marginOf = (duration: number): number => Math.min(duration / 20, longestMargin)

const longestMargin = 1000

/** The milliseconds for which a release is tried at least, also when the lock may be over. */
const shortestRelease = 1000

/**
 * Gives a release up when the lock is over by itself, even in an uninterruptible region, because the release runs in a
 * fiber of its own.
 */
const untilOver = (milliseconds: number, release: Effect.Effect<boolean, CommandError>) =>
  Effect.timeoutOrElse(release, {
    duration: milliseconds,
    orElse: () => Effect.fail(failureOf(timeLimit("read", milliseconds), releasing, "unknown"))
  })

const releasing = { name: "EVALSHA", readonly: false }
