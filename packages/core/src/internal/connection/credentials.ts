/**
 * Where the credentials of a connection come from, when it is opened and while
 * it is open.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { passwordText } from "../../RedisConfig.ts"
import type { Credentials, CredentialsSource } from "../../RedisConfig.ts"
import type { CommandError } from "../../RedisError.ts"
import { connectionLoss } from "../error/events.ts"

/** The credentials to open a connection with, and the source of those that replace them. */
export interface Asked {
  readonly first: Credentials | undefined
  readonly next: Effect.Effect<Credentials, unknown> | undefined
}

/** Asks for credentials, once for each connection. */
export const ask = (
  source: CredentialsSource | undefined,
  address: string
): Effect.Effect<Asked, CommandError, Scope.Scope> => {
  const missing = (cause: unknown) =>
    Cause.isDone(cause)
      ? connectionLoss("Handshake", "The stream of credentials ended before the first", address)
      : connectionLoss("Handshake", "The credentials for a new connection could not be had", address, cause)
  // A source that throws, or interrupts itself as what it has joined, has not given any either.
  const had = (credentials: Effect.Effect<Credentials, unknown>) =>
    checked(Effect.catchCause(credentials, (cause) => Effect.fail(missing(Cause.squash(cause)))), address)
  if (Effect.isEffect(source)) {
    return Effect.map(had(source), (first) => ({ first, next: undefined }))
  }
  if (Stream.isStream(source)) {
    return Effect.flatMap(Stream.toPull(source), (pull) => {
      // Of elements that come at once, only the last one counts.
      const next: Effect.Effect<Credentials, unknown> = Effect.map(pull, (chunk) => chunk.at(-1) ?? chunk[0])
      return Effect.map(had(next), (first) => ({ first, next: checked(next, address) }))
    })
  }
  return Effect.succeed({ first: source, next: undefined })
}

/** Refuses credentials without a password that can be read, so that no command fails because of them. */
const checked = <E>(
  credentials: Effect.Effect<Credentials, E>,
  address: string
): Effect.Effect<Credentials, E | CommandError> =>
  Effect.flatMap(credentials, (given) =>
    passwordText(given.password) === undefined
      ? Effect.fail(connectionLoss("Handshake", "The credentials have no password that can be read", address))
      : Effect.succeed(given))

/**
 * Presents the further elements of a stream until the stream ends, or fails when a server refuses one. One that waits to be
 * presented gives way to the next: by then it may count no longer.
 */
export const renew = Effect.fnUntraced(function*(
  next: Effect.Effect<Credentials, unknown>,
  authenticate: (credentials: Credentials) => Effect.Effect<void, CommandError>
): Effect.fn.Return<void, CommandError> {
  const pull = Effect.forkChild(Effect.exit(next))
  let pulled = yield* pull
  while (true) {
    const element = yield* Fiber.join(pulled)
    if (Exit.isFailure(element)) {
      const why = Cause.squash(element.cause)
      return Cause.isDone(why)
        ? undefined
        : yield* Effect.logWarning("The stream of Redis credentials failed; the last ones stay in use", why)
    }
    pulled = yield* pull
    const replaced = Effect.flatMap(Fiber.join(pulled), (exit) => Exit.isSuccess(exit) ? Effect.void : Effect.never)
    yield* Effect.raceFirst(authenticate(element.value), replaced)
  }
})
