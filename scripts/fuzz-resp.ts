/**
 * Feeds the decoder, the decoders of replies and the parsers of text with damaged
 * input, in a heap of 256 MB.
 *
 *     pnpm fuzz [inputs = 1000000] [seed = 1]
 *
 * Inputs are the golden replies and generated streams, damaged by bit flips,
 * cuts, duplications, swapped parts and changed lengths. For each it checks that
 * the decoder throws nothing, that one chunk and random chunks give the same
 * values and the same failure, and that after a failure nothing comes any more.
 * What came is given to the reply decoder of a command, which may refuse it but
 * not break, and the text to a parser, which may neither break nor take long. In
 * the end memory has not grown. A failing input is printed with its
 * number, and the same seed finds it again.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { getHeapStatistics } from "node:v8"
import * as Redis from "../packages/core/src/Redis.ts"
import * as RedisCommand from "../packages/core/src/RedisCommand.ts"
import { fromReply, isRedisError } from "../packages/core/src/RedisError.ts"
import * as RedisUrl from "../packages/core/src/RedisUrl.ts"
import { RespDecoder } from "../packages/core/src/RespDecoder.ts"
import type { DecodeOptions } from "../packages/core/src/RespLimits.ts"
import { Bulk, ErrorReply } from "../packages/core/src/RespValue.ts"
import type { Value } from "../packages/core/src/RespValue.ts"
import { latin1, plain } from "../packages/core/test/fixtures/reference.ts"

const heapLimit = getHeapStatistics().heap_size_limit / 1024 / 1024
if (heapLimit > 400) {
  throw new Error(`the heap may grow to ${heapLimit.toFixed(0)} MB: run it as node --max-old-space-size=256`)
}

const inputs = Number(process.argv[2] ?? 1_000_000)
const seed = Number(process.argv[3] ?? 1)

/** xorshift32 */
let state = (seed * 2654435761) >>> 0 || 1
const random = (bound: number): number => {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % bound
}
const pick = <A>(items: ReadonlyArray<A>): A => items[random(items.length)]!

const goldensPath = join(import.meta.dirname, "../packages/core/test/fixtures/goldens.json")
const goldens = (JSON.parse(readFileSync(goldensPath, "utf8")) as ReadonlyArray<{ readonly bytes: string }>)
  .map((golden) => golden.bytes)
  // The inputs should be many rather than long.
  .map((bytes) => bytes.slice(0, 400))

/** Parts of streams, with line ends left out: `/` stands for one. */
const atoms = [
  "+OK/ -ERR/ :12/ :-9223372036854775808/ $3/abc/ $0// $-1/ *-1/ _/ #t/ #f/ ,1.5/ ,-inf/ ,nan/ ,1e10/",
  "(123456789012345678901/ !5/ERR_x/ =7/txt:abc/ $?/;2/ab/;1/c/;0/ $?/ ;1/a/ ;0/ *?/ %?/ ~?/ ./",
  "*2/ *0/ %1/ ~2/ >2/ |1/ |0/ $99999999999/ *999999999/ *1/ /"
].flatMap((line) => line.split(" ")).map((atom) => atom.replaceAll("/", "\r\n"))

const generate = (): string => {
  let text = ""
  for (let count = 1 + random(8); count > 0; count--) text += pick(atoms)
  return text
}

const damage = (text: string): string => {
  const at = random(text.length + 1)
  const to = Math.min(text.length, at + random(12))
  switch (random(7)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random(8))) + text.slice(at + 1)
    case 1:
      return text.slice(0, at)
    case 2:
      return text.slice(0, at) + text.slice(to)
    case 3:
      return text.slice(0, to) + text.slice(at)
    case 4:
      return text.slice(0, at) + pick(atoms) + text.slice(at)
    case 5:
      return text.replace(/\d+/, () => String(random(20) - 2))
    default:
      return text.slice(at) + text.slice(0, at)
  }
}

const optionSets: ReadonlyArray<DecodeOptions> = [
  {},
  { attributes: "drop" },
  { maxDepth: 2, maxBulkLength: 8, maxAggregateLength: 3, maxLineLength: 64 },
  { maxReplyBytes: 64 }
]

/** Every definition; what it would send does not matter, its decoder does. */
const definitions = Object.entries(Redis).flatMap(([name, value]) =>
  typeof value === "function" && "spec" in value ? [[name, value] as const] : []
)
const commands = definitions.flatMap(([, define]) => {
  for (
    const args of [[], ["k"], ["k", "v"], ["k", 1], ["k", 1, 2], [["k"]], [{ k: "v" }], ["k", { a: 1 }], [
      "a",
      "b",
      "c"
    ]]
  ) {
    // Arguments are guessed: what does not fit is refused.
    const command = (define as (...args: ReadonlyArray<unknown>) => RedisCommand.Any)(...args)
    if (command.settled === undefined) return [command]
  }
  return []
})
if (commands.length < 200) throw new Error(`only ${commands.length} commands could be made`)

/** Texts as servers give them, which replies are damaged from. */
const texts = [
  "# Server\r\nredis_version:7.0.0\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n",
  "id=3 addr=127.0.0.1:5 laddr=127.0.0.1:6 fd=8 name= age=0 idle=0 flags=N db=0 cmd=client|list user=default\n",
  "07c3 127.0.0.1:30004@31004,host slave e7d1 0 1426238317239 4 connected 0-5 [93->-292f]\n",
  "1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"\\x00*\"",
  "redis+sentinel://user:pass@h1:26379,h2/mymaster/0?socket_timeout=2.5&tls_ca=x",
  "MOVED 3999 127.0.0.1:6381",
  "NOPERM this user has no permissions to run the 'get' command"
]

/** Neither breaks nor dies: refusals are values. */
const checkReplies = (values: ReadonlyArray<Value>): void => {
  for (const value of values) {
    const command = pick(commands)
    if (value instanceof ErrorReply) {
      const error = fromReply(value, { command: "X", secrets: [] })
      if (!isRedisError(error) || /[\u0000-\u001f\u007f-\u009f]/.test(error.message)) {
        throw new Error("an unsafe message")
      }
      continue
    }
    const exit = RedisCommand.decode(command, value, random(2) === 0 ? "replace" : "strict")
    if (exit._tag === "Failure" && exit.cause.reasons.some((reason) => reason._tag !== "Fail")) {
      throw new Error(`${command.spec.name} breaks: ${String(exit.cause)}`)
    }
  }
}

const checkText = (text: string): void => {
  const started = performance.now()
  RedisUrl.parse(text)
  RedisUrl.redact(text)
  const bytes = latin1(text)
  checkReplies([new Bulk(bytes, 0, bytes.length), text, new ErrorReply(text)])
  const took = performance.now() - started
  if (took > 1000) throw new Error(`a text of ${text.length} characters took ${took.toFixed(0)} ms`)
}

const run = (chunks: ReadonlyArray<Uint8Array>, options: DecodeOptions) => {
  const decoder = new RespDecoder(options)
  const values: Array<Value> = []
  for (const chunk of chunks) {
    const failed = decoder.failure !== undefined
    const more = decoder.push(chunk)
    if (failed && more.length > 0) throw new Error("values came after a failure")
    values.push(...more)
  }
  decoder.end()
  return { values: values.map(plain), failure: decoder.failure?.detail }
}

/** Like `JSON.stringify`, but tells `-0`, `NaN`, infinities and `bigint` apart. */
const print = (value: unknown): string =>
  JSON.stringify(
    value,
    (_key, item) =>
      typeof item === "bigint"
        ? `${item}n`
        : typeof item === "number"
        ? Object.is(item, -0) ? "-0" : String(item)
        : item
  )

const cut = (bytes: Uint8Array): Array<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  const longest = 1 + random(pick([1, 3, 20, 200]))
  for (let at = 0; at < bytes.length;) {
    const length = 1 + random(longest)
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  return chunks
}

const started = performance.now()
let failures = 0
let heap = 0
for (let input = 0; input < inputs; input++) {
  let text = random(2) === 0 ? pick(goldens) : generate()
  for (let count = random(4); count > 0; count--) text = damage(text)
  const bytes = latin1(text)
  const options = pick(optionSets)
  try {
    const whole = run([bytes], options)
    const parts = run(cut(bytes), options)
    if (whole.failure !== undefined) failures++
    checkReplies(new RespDecoder(options).push(bytes))
    let damaged = random(3) === 0 ? text : pick(texts).repeat(1 + random(4))
    for (let count = random(4); count > 0; count--) damaged = damage(damaged)
    checkText(damaged)
    if (print(whole) !== print(parts)) throw new Error(`one chunk: ${print(whole)}\nmany chunks: ${print(parts)}`)
  } catch (cause) {
    console.error(`input ${input} ${JSON.stringify(text)} with ${JSON.stringify(options)}`)
    throw cause
  }
  if (input === Math.floor(inputs / 4)) heap = process.memoryUsage().rss
}
const grown = (process.memoryUsage().rss - heap) / 1024 / 1024
const seconds = (performance.now() - started) / 1000
console.log(
  `${inputs} inputs, ${failures} malformed or cut off, ${seconds.toFixed(1)} s; memory grew by ${grown.toFixed(0)} MiB`
)
if (grown > 256) throw new Error("memory is not bounded")
