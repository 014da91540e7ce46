/**
 * Operations of keyspaces as commands, for pipelines and transactions: values are encoded when the command is made, and decoded
 * where its reply is.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RedisArg from "../../RedisArg.ts"
import * as RedisCommand from "../../RedisCommand.ts"
import type { DataError } from "../../RedisError.ts"
import * as RedisReply from "../../RedisReply.ts"
import { quoted } from "../error/printable.ts"
import { titled } from "../reply/titled.ts"
import { errorOf } from "../runtime/firstError.ts"
import { detailAtOnce } from "../values/schemaValues.ts"
import { reading } from "./codec.ts"
import { unwritten } from "./model.ts"
import type { KeyspaceError, Operation } from "./model.ts"

/** A command, or why its id or its value cannot be written. What a schema has read is the same in every view. */
export type Prepared<A, BigInts = A> = Effect.Effect<
  RedisCommand.RedisCommand<A, A, BigInts>,
  KeyspaceError | DataError
>

/** A command whose reply is read further, and the key that errors of that name. */
interface Asking<Raw> {
  readonly key: string
  readonly command: RedisCommand.RedisCommand<Raw, unknown, unknown>
}

export type Asked<Raw> = Effect.Effect<Asking<Raw>, KeyspaceError | DataError>

type Decode<Raw, A> = (raw: Raw, key: string) => Effect.Effect<A, KeyspaceError>

/** Reads a reply by a schema, which may take its time. */
export const operation = <Raw, A>(asked: Asked<Raw>, decode: Decode<Raw, A>): Operation<A> =>
  Effect.flatMap(asked, ({ command, key }) => Effect.flatMap(reading(command, key), (raw) => decode(raw, key)))

/** The same as a command. */
export const command = <Raw, A, S extends RedisCommand.Spec>(
  spec: S,
  asked: Asked<Raw>,
  decode: Decode<Raw, A>
): RedisCommand.CommandOf<S, A, A, A> => commandOf(spec, Effect.map(asked, (asking) => decoding(asking, decode)))

/** `spec`: the facts of the command; a command that cannot be prepared is refused. With a script in its place it is not `cacheable`. */
export const commandOf = <A, BigInts, S extends RedisCommand.Spec>(
  spec: S,
  prepared: Prepared<A, BigInts>
): RedisCommand.CommandOf<S, A, A, BigInts> => {
  const exit = Effect.runSyncExit(prepared)
  const command = Exit.isSuccess(exit) ? exit.value : RedisCommand.make<A, A, BigInts>({
    spec,
    args: () => RedisArg.invalid(detailAtOnce(exit.cause, refusalIn, waits)),
    // It is never sent.
    reply: RedisReply.make<A, A, BigInts>((value) => RedisReply.mismatch("nothing", value))
  })
  // It can be cached where `spec` says so.
  return command as never
}

const decoding = <Raw, A>(
  { command, key }: Asking<Raw>,
  decode: Decode<Raw, A>
): RedisCommand.RedisCommand<A, A, A> =>
  RedisCommand.withReply(
    command,
    titled(
      `what is stored at ${quoted(key)}`,
      RedisReply.make<A>((value, view) => {
        // A schema fixes the type in every view, so it is always given text and numbers.
        const raw = command.reply.decode(value, { ...command.view, blob: view.blob === "bytes" ? "text" : view.blob })
        // In the view of the command its decoder gives a Raw.
        const exit = Effect.runSyncExit(decode(raw as Raw, key))
        if (Exit.isSuccess(exit)) return exit.value
        throw new RedisReply.Mismatch(detailAtOnce(exit.cause, (cause) => errorOf(cause)?.detail, waits))
      })
    )
  )

/** The same command with its reply changed, whatever view it is read in. */
export const mapping = <A, B>(
  command: RedisCommand.RedisCommand<A>,
  f: (value: A) => B
): RedisCommand.RedisCommand<B, B, B> =>
  // In the view of the command its decoder gives an A.
  RedisCommand.withReply(command, RedisReply.make<B>((value) => f(command.reply.decode(value, command.view) as A)))

const refusalIn = (cause: Cause.Cause<KeyspaceError | DataError>): string | undefined => {
  const error = errorOf(cause)
  return error?._tag === "KeyspaceError" ? `the ${unwritten(error)}` : error?.detail
}

const waits = "the schema waits, and has to encode and decode at once in a command"
