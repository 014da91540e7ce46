import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { requireCommand } from "../Suite.ts"

const helps = {
  ACL: Redis.aclHelp(),
  CLIENT: Redis.clientHelp(),
  COMMAND: Redis.commandHelp(),
  COMMANDLOG: Redis.commandlogHelp(),
  CONFIG: Redis.configHelp(),
  FUNCTION: Redis.functionHelp(),
  HOTKEYS: Redis.hotkeysHelp(),
  LATENCY: Redis.latencyHelp(),
  MEMORY: Redis.memoryHelp(),
  MODULE: Redis.moduleHelp(),
  PUBSUB: Redis.pubsubHelp(),
  SCRIPT: Redis.scriptHelp(),
  SLOWLOG: Redis.slowlogHelp(),
  XGROUP: Redis.xgroupHelp(),
  XINFO: Redis.xinfoHelp()
}

/** What servers say about themselves to people, on whatever Layer is given. */
export const HelpTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Help", () => {
    layer(client)((it) => {
      for (const [name, help] of Object.entries(helps)) {
        it.effect(`${name} HELP is lines of text`, (context) =>
          Effect.gen(function*() {
            yield* requireCommand(context, name)
            assert.match((yield* help)[0] ?? "", new RegExp(`^${name} <subcommand>`, "i"))
          }))
      }
    })
  })
}
