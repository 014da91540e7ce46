/** Decoders alone, without sockets or clients: the same bytes, in chunks of 64 KiB, decoded into text. */
import { createRequire } from "node:module"
import { performance } from "node:perf_hooks"
import { value } from "./data.ts"
import { collectYoung } from "./garbage.ts"
import { pairedRounds, ratios } from "./pairs.ts"
import { use } from "./session.ts"
import type { Interval } from "./statistics.ts"
import { interval } from "./statistics.ts"

/** A decoder under measurement. */
export interface Codec {
  readonly name: string
  /** Makes a decoder that gives each reply, its blobs turned into text, to `onReply`. */
  readonly make: (onReply: (reply: unknown) => void) => (chunk: Buffer) => void
}

/** What one decoder did with one payload. */
export interface CodecResult {
  readonly case: string
  readonly title: string
  readonly decoder: string
  /** Nanoseconds per element of the payload (per byte of the 1 MB value). */
  readonly nanoseconds: Interval
  /** How many times the speed of this decoder the speed of redfx's is; absent for that itself. */
  readonly beside?: Interval | undefined
}

interface Payload {
  readonly name: string
  readonly title: string
  readonly chunks: ReadonlyArray<Buffer>
  readonly replies: number
  /** What the figure in nanoseconds is divided by. */
  readonly elements: number
  readonly repeat: number
  /** Whether the last reply decoded is right. */
  readonly isRight: (reply: unknown) => boolean
}

const chunkSize = 64 * 1024

function payload(
  name: string,
  title: string,
  text: string,
  rest: Omit<Payload, "name" | "title" | "chunks">
): Payload {
  const bytes = Buffer.from(text)
  const chunks: Array<Buffer> = []
  // Copies: a socket, too, gives each chunk in memory of its own.
  for (let at = 0; at < bytes.length; at += chunkSize) chunks.push(Buffer.from(bytes.subarray(at, at + chunkSize)))
  return { name, title, chunks, ...rest }
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const element = value("element", 64)
const large = value("large", 1024 * 1024)

const payloads: ReadonlyArray<Payload> = [
  payload("codec-array", "Array of 1000 × 64 B", `*1000\r\n${bulk(element).repeat(1000)}`, {
    replies: 1,
    elements: 1000,
    repeat: 250,
    isRight: (reply) => Array.isArray(reply) && reply.length === 1000 && reply.every((each) => each === element)
  }),
  payload("codec-small", "Small replies (+OK, :1234, $5)", `+OK\r\n:1234\r\n${bulk("hello")}`.repeat(1000), {
    replies: 3000,
    elements: 3000,
    repeat: 150,
    isRight: (reply) => reply === "hello"
  }),
  payload("codec-1mb", "One value of 1 MB", bulk(large), {
    replies: 1,
    elements: large.length,
    repeat: 50,
    isRight: (reply) => reply === large
  })
]

/** The names of these cases. */
export const codecCaseNames: ReadonlyArray<string> = payloads.map(({ name }) => name)

const require = createRequire(import.meta.url)

interface NodeRedisDecoder {
  readonly Decoder: new(options: {
    readonly onReply: (reply: unknown) => void
    readonly onErrorReply: (error: unknown) => void
    readonly onPush: (push: unknown) => void
    readonly getTypeMapping: () => object
  }) => { readonly write: (chunk: Buffer) => void }
}

const nodeRedis = (): Codec => {
  // A module that the package does not document; the interface above is what its own declaration file says.
  const { Decoder } = require("@redis/client/dist/lib/RESP/decoder.js") as NodeRedisDecoder
  return {
    name: "node-redis",
    make: (onReply) => {
      const decoder = new Decoder({ onReply, onErrorReply: onReply, onPush: onReply, getTypeMapping: () => ({}) })
      return (chunk) => decoder.write(chunk)
    }
  }
}

interface RedisParser {
  new(options: {
    readonly returnReply: (reply: unknown) => void
    readonly returnError: (error: unknown) => void
  }): { readonly execute: (chunk: Buffer) => void }
}

const redisParser = (): Codec => {
  // The package has no declarations; this is the part of its README that we use.
  const Parser = require("redis-parser") as RedisParser
  return {
    name: "redis-parser (ioredis)",
    make: (onReply) => {
      const parser = new Parser({ returnReply: onReply, returnError: onReply })
      return (chunk) => parser.execute(chunk)
    }
  }
}

async function loadCodecs(): Promise<ReadonlyArray<Codec>> {
  const codecs = [nodeRedis(), redisParser()]
  try {
    const { codec } = await import("./codec-redfx.ts")
    return [codec, ...codecs]
  } catch (error) {
    console.error(`Left out: the decoder of redfx does not load: ${String(error).split("\n")[0]}`)
    return codecs
  }
}

/** Decodes the payload again and again; returns nanoseconds of one time. */
function decode(codec: Codec, item: Payload, repeat: number): number {
  let replies = 0
  let last: unknown
  const push = codec.make((reply) => {
    replies++
    use(reply)
    last = reply
  })
  collectYoung()
  const start = performance.now()
  for (let i = 0; i < repeat; i++) for (const chunk of item.chunks) push(chunk)
  const nanoseconds = (performance.now() - start) * 1e6 / repeat
  if (replies !== item.replies * repeat || !item.isRight(last)) {
    throw new Error(`The decoder of ${codec.name} decodes ${item.name} wrongly.`)
  }
  return nanoseconds
}

/** Measures the named payloads with every decoder, in pairs as the clients are. */
export async function measureCodecs(
  names: ReadonlyArray<string>,
  options: { readonly rounds: number; readonly quick: boolean }
): Promise<ReadonlyArray<CodecResult>> {
  if (names.length === 0) return []
  const codecs = await loadCodecs()
  const results: Array<CodecResult> = []
  for (const item of payloads.filter(({ name }) => names.includes(name))) {
    const repeat = options.quick ? Math.ceil(item.repeat / 4) : item.repeat
    const decodeBy = async (index: number): Promise<number> => {
      const codec = codecs[index]
      if (codec === undefined) throw new Error(`There is no decoder ${index}.`)
      return decode(codec, item, repeat) / item.elements
    }
    const { base, others } = await pairedRounds(codecs.length, options.rounds, decodeBy)
    for (const [index, { name }] of codecs.entries()) {
      const pairs = others[index - 1]
      results.push({
        case: item.name,
        title: item.title,
        decoder: name,
        nanoseconds: interval(pairs?.map(({ own }) => own) ?? base),
        ...pairs === undefined ? {} : { beside: interval(ratios(pairs, (nanoseconds) => 1 / nanoseconds)) }
      })
    }
  }
  return results
}
