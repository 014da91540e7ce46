import { assert, describe, it } from "@effect/vitest"
import { Redis, RedisError, RedisReply, RedisUrl, Resp } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { monitorEvent } from "@redfx/core/commands/replies/MonitorEvent"
import { worked } from "@redfx/testing/Worked"
import * as Result from "effect/Result"

const size = 1024 * 1024

const decode = (command: RedisCommand.Any, text: string): unknown => {
  try {
    return command.reply.decode(text, RedisReply.textView)
  } catch (error) {
    if (error instanceof RedisReply.Mismatch) return error
    throw error
  }
}

const monitorLine = (line: string): unknown => {
  try {
    return monitorEvent.decode(line, RedisReply.textView)
  } catch (error) {
    if (error instanceof RedisReply.Mismatch) return error
    throw error
  }
}

const classified = (line: string, secrets: ReadonlyArray<string>) =>
  RedisError.fromReply(new Resp.ErrorReply(line), { command: "ACL SETUSER", secrets }).message

/** What each parser of text finds hardest, a megabyte of it. */
const worst: ReadonlyArray<readonly [title: string, run: () => unknown]> = [
  ["hosts of a URL", () => parse(`redis+cluster://${"h-1,".repeat(size / 4)}:7000x`)],
  ["commas of a URL", () => parse(`redis://${",".repeat(size)}[`)],
  ["slashes of a URL", () => parse(`redis://h/1${"/".repeat(size)}x`)],
  ["brackets of a URL", () => parse(`redis://${"[".repeat(size)}`)],
  ["colons of a URL", () => parse(`redis://${":".repeat(size)}`)],
  ["signs before the host of a URL", () => parse(`redis://${"@".repeat(size)}:x`)],
  ["options of a URL", () => parse(`redis://h?${"a=1&".repeat(size / 4)}`)],
  ["question marks of a URL", () => parse(`redis://h${"?".repeat(size)}`)],
  ["percent signs of a URL", () => parse(`redis://${"%41".repeat(size / 3)}:x`)],
  ["spaces around a URL", () => parse(`${" ".repeat(size)}redis://h${" ".repeat(size)}x`)],
  ["fields of INFO", () => decode(Redis.info(), `a:b=1,${"c=1,".repeat(size / 4)}`)],
  ["brackets of INFO", () => decode(Redis.info(), `a:b=${"[,".repeat(size / 2)}`)],
  ["lines of INFO", () => decode(Redis.info(), "\r".repeat(size))],
  ["digits of INFO", () => decode(Redis.info(), `a:${"1".repeat(size)}.`)],
  ["fields of CLIENT LIST", () => decode(Redis.clientList(), "a=1 ".repeat(size / 4))],
  ["spaces of CLIENT LIST", () => decode(Redis.clientList(), " ".repeat(size))],
  ["lines of CLIENT LIST", () => decode(Redis.clientList(), "\n".repeat(size))],
  ["fields of CLIENT INFO", () => decode(Redis.clientInfo(), `id=1 ${"=".repeat(size)}`)],
  [
    "slots of CLUSTER NODES",
    () => decode(Redis.clusterNodes(), `n 1:1@1 master - 0 0 1 connected ${"1 ".repeat(size / 2)}`)
  ],
  ["commas of CLUSTER NODES", () => decode(Redis.clusterNodes(), `n ${",".repeat(size)} master - 0 0 1 connected`)],
  ["signs of CLUSTER NODES", () => decode(Redis.clusterNodes(), `n ${"@:".repeat(size / 2)} m - 0 0 1 connected`)],
  ["clients of MONITOR", () => monitorLine(`1.5 [0 ${"] \"".repeat(size / 3)}`)],
  ["quotes of MONITOR", () => monitorLine(`1.5 [0 a:1] ${"\"".repeat(size)}`)],
  ["backslashes of MONITOR", () => monitorLine(`1.5 [0 a:1] "${"\\\"".repeat(size / 2)}"`)],
  ["digits of MONITOR", () => monitorLine("1".repeat(size))],
  ["an error", () => classified(`ERR ${"a ".repeat(size / 2)}`, [])],
  ["spaces of an error", () => classified(" ".repeat(size), [])],
  ["a secret in an error", () => classified(`ERR ${"a".repeat(size)}`, ["a".repeat(1000), "aa"])],
  ["secrets in an error", () => classified(`ERR ${"a ".repeat(size / 2)}`, ["a", "b"])]
]

const parse = (url: string) => Result.isFailure(RedisUrl.parse(url))

describe("Parsers of text", () => {
  for (const [title, run] of worst) {
    it(`take time linear in their input: ${title}`, () => {
      const started = worked()
      run()
      // Each takes 5 to 150 ms; one that is quadratic, minutes.
      assert.isBelow(worked() - started, 10_000)
    })
  }
})
