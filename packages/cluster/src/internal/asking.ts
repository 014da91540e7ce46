/**
 * The command before one that an ASK has sent to a server that does not own
 * the slot yet. It holds for the next command, or for all between MULTI and EXEC.
 *
 * @internal
 */
import * as RedisCommand from "@redfx/core/RedisCommand"
import * as RedisReply from "@redfx/core/RedisReply"

// Without traits: the command after it uses its effect up, so that nobody else on the connection can notice.
export const asking: RedisCommand.RedisCommand<RedisReply.Raw> = RedisCommand.make({
  spec: new RedisCommand.Spec("ASKING", []),
  args: () => [],
  reply: RedisReply.raw
})
