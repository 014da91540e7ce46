/**
 * Where the credentials of a connection come from, when it is opened and while
 * it is open, and the certificate by which it says who it is.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { passwordText } from "../../RedisConfig.ts"
import type { ConnectionSettings, Credentials, CredentialsSource } from "../../RedisConfig.ts"
import type { ClientCertificate, ConnectOptions } from "../../RedisConnector.ts"
import type { CommandError } from "../../RedisError.ts"
import { connectionLoss } from "../error/events.ts"

/** The credentials to open a connection with, and the source of those that replace them. */
export interface Asked {
  readonly first: Credentials | undefined
  readonly next: Effect.Effect<Credentials, unknown> | undefined
}

/**
 * Asks a source of the program. A source that throws, or interrupts itself, counts as one that fails.
 */
const had = <A>(source: Effect.Effect<A, unknown>, what: string, address: string): Effect.Effect<A, CommandError> =>
  Effect.catchCause(source, (reason) => {
    const cause = Cause.squash(reason)
    return Effect.fail(
      Cause.isDone(cause)
        ? connectionLoss("Handshake", `The stream of ${what} ended before the first`, address)
        : connectionLoss("Handshake", `The ${what} for a new connection could not be had`, address, cause)
    )
  })

/** The settings of TLS for a new connection, with the certificate of the client that there is at the time. */
export const tlsOf = (
  { tls }: ConnectionSettings,
  address: string
): Effect.Effect<ConnectOptions["tls"], CommandError> => {
  if (tls?.clientCertificate === undefined) return Effect.succeed(tls)
  const { clientCertificate, ...rest } = tls
  return Effect.flatMap(
    had(clientCertificate, "client certificate", address),
    // What is no certificate comes from programs without types. A secret that was wiped cannot be read either.
    (given: ClientCertificate | undefined) =>
      typeof given?.cert !== "string" || passwordText(given.key) === undefined
        ? Effect.fail(
          connectionLoss("Handshake", "The client certificate has no cert, or no key that can be read", address)
        )
        : given.passphrase !== undefined && passwordText(given.passphrase) === undefined
        ? Effect.fail(
          connectionLoss("Handshake", "The client certificate has a passphrase that cannot be read", address)
        )
        : Effect.succeed({ ...rest, cert: given.cert, key: given.key, passphrase: given.passphrase })
  )
}

/** Asks for credentials, once for each connection. */
export const ask = (
  source: CredentialsSource | undefined,
  address: string
): Effect.Effect<Asked, CommandError, Scope.Scope> => {
  const first = (credentials: Effect.Effect<Credentials, unknown>) =>
    checked(had(credentials, "credentials", address), address)
  if (Effect.isEffect(source)) {
    return Effect.map(first(source), (first) => ({ first, next: undefined }))
  }
  if (Stream.isStream(source)) {
    return Effect.flatMap(Stream.toPull(source), (pull) => {
      // When several elements come at once, only the last one counts.
      const next: Effect.Effect<Credentials, unknown> = Effect.map(pull, (chunk) => chunk.at(-1) ?? chunk[0])
      return Effect.map(first(next), (first) => ({ first, next: checked(next, address) }))
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
 * Presents the further elements of a stream until the stream ends, or fails when a server refuses one. An element that waits to
 * be presented gives way to the next, as it may no longer be valid by then.
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
