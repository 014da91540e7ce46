/**
 * Blocking commands that are sent again.
 */
import { BlockArg } from "@redfx/core/RedisArg"
import * as RedisCommand from "@redfx/core/RedisCommand"

/**
 * The same command for the rest of the time for which it may block, when it is sent again after so many milliseconds. It
 * blocks for a millisecond at least, so that it still takes what is there. A command that blocks without limit, or does not
 * block, is returned as it is.
 */
export const blockedFor = <A, Bytes, BigInts>(
  command: RedisCommand.RedisCommand<A, Bytes, BigInts>,
  milliseconds: number
): RedisCommand.RedisCommand<A, Bytes, BigInts> => {
  const limit = RedisCommand.blockMilliseconds(command)
  if (limit === 0 || limit === Infinity) return command
  const rest = Math.max(Math.ceil(limit - milliseconds), 1)
  return rest >= limit ? command : RedisCommand.withParts(
    command,
    command.parts.map((part) =>
      part instanceof BlockArg
        // The time is sent in milliseconds or in seconds.
        ? new BlockArg(Number(part.value) === part.milliseconds ? rest : rest / 1000, rest)
        : part
    )
  )
}
