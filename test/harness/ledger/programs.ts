/**
 * Scripts and functions: their text in Lua, and what a simulated server does when it is asked to run them.
 */
import { RedisReply, RedisScript } from "@redfx/core"
import { createHash } from "node:crypto"
import type { Reply } from "./reply.ts"
import { error, isError } from "./reply.ts"
import type { Call } from "./store.ts"

type Program = (call: Call, keys: ReadonlyArray<string>, args: ReadonlyArray<string>) => Reply

/** Writes twice, and returns the result. */
export const twice = RedisScript.make({
  name: "twice",
  lua: "return { redis.call('HINCRBY', KEYS[1], ARGV[1], 1), redis.call('HINCRBY', KEYS[1], ARGV[2], 1), ARGV[1] }",
  keys: (ledger: string, _first: string, _second: string) => [ledger],
  args: (_ledger, first, second) => [first, second],
  result: RedisReply.tuple(RedisReply.integer, RedisReply.integer, RedisReply.blob)
})

/** Writes, and then answers with an error whose code it has made up. */
export const liar = RedisScript.make({
  name: "liar",
  lua: "redis.call('HINCRBY', KEYS[1], ARGV[1], 1) return redis.error_reply(ARGV[2] .. ' made up')",
  keys: (ledger: string, _token: string, _code: string) => [ledger],
  args: (_ledger, token, code) => [token, code],
  result: RedisReply.integer
})

/** Reads, on whatever server. */
export const peek = RedisScript.make({
  name: "peek",
  lua: "return redis.call('GET', KEYS[1])",
  keys: (key: string) => [key],
  result: RedisReply.blob,
  readonly: true
})

const library = RedisScript.library({
  name: "ledger",
  code:
    "redis.register_function('ledger_add', function(keys, args) return redis.call('HINCRBY', keys[1], args[1], 1) end)"
})

/** The answer of FUNCTION LIST about the library. */
export const listed: Reply = {
  pairs: [
    ["library_name", "ledger"],
    ["engine", "LUA"],
    ["functions", [{ pairs: [["name", "ledger_add"], ["description", null], ["flags", []]] }]]
  ]
}

/** Writes once. */
export const add = RedisScript.function({
  name: "ledger_add",
  library,
  keys: (ledger: string, _token: string) => [ledger],
  args: (_ledger, token) => [token],
  result: RedisReply.integer
})

const extend: Program = (call, [key = ""], [token, duration, mode]) => {
  if (call("GET", key) !== token) return 0
  const left = Number(call("PTTL", key))
  if (left < 0) return 0
  if (mode === "atLeast" && left > Number(duration)) return 1
  return call("PEXPIRE", key, String(mode === "add" ? left + Number(duration) : Number(duration)))
}

/** The programs, by a part of their text that no other has. */
const programs: ReadonlyArray<readonly [part: string, program: Program]> = [
  [
    "made up",
    (call, [key = ""], [token = "", code = ""]) => {
      call("HINCRBY", key, token, "1")
      return error(`${code} made up`)
    }
  ],
  [
    "KEYS[1], ARGV[2], 1)",
    (call, [key = ""], [first = "", second = ""]) => [
      call("HINCRBY", key, first, "1"),
      call("HINCRBY", key, second, "1"),
      first
    ]
  ],
  [
    "fencingToken",
    (call, [name = "", counter = ""], [token = "", ttl = "0"]) => {
      if (call("EXISTS", name) === 1) return 0
      const number = call("INCR", counter)
      call("SET", name, token, ...(ttl === "0" ? [] : ["PX", ttl]))
      return number
    }
  ],
  [
    "redis.pcall(ARGV[2]",
    (call, [key = ""], [ttl = "", name = "", ...args]) => {
      const reply = call(name, key, ...args)
      if (!isError(reply)) call("PEXPIRE", key, ttl)
      return reply
    }
  ],
  ["'GET', KEYS[1])", (call, [key = ""]) => call("GET", key)],
  ["\"PEXPIRE\"", extend],
  ["\"DEL\"", (call, [name = ""], [token]) => call("GET", name) === token ? call("DEL", name) : 0],
  ["ledger_add", (call, [key = ""], [token = ""]) => call("HINCRBY", key, token, "1")]
]

/** The program of a text. */
export const programOf = (text: string): Program | undefined => programs.find(([part]) => text.includes(part))?.[1]

export const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex")
