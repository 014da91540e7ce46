/**
 * Feeds the decoder with damaged replies.
 *
 *     node scripts/fuzz-resp.ts [inputs = 1000000] [seed = 1]
 *
 * Inputs are the golden replies and generated streams, damaged by bit flips,
 * cuts, duplications, swapped parts and changed lengths. For each it checks that
 * the decoder throws nothing, that one chunk and random chunks give the same
 * values and the same failure, and that after a failure nothing comes any more;
 * in the end, that memory has not grown. A failing input is printed with its
 * number, and the same seed finds it again.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { RespDecoder } from "../packages/core/src/RespDecoder.ts"
import type { DecodeOptions } from "../packages/core/src/RespLimits.ts"
import type { Value } from "../packages/core/src/RespValue.ts"
import { latin1, plain } from "../packages/core/test/fixtures/reference.ts"

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
