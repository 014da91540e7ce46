/** The data that the cases read and write. */

/** How many elements a collection has. */
export const elements = 1000

const mebibyte = 1024 * 1024

/** A value of `size` bytes that differs for every `seed`; plain ASCII, the most common text. */
export const value = (seed: string, size: number): string => `${seed}:`.padEnd(size, "abcdefghijklmnopqrstuvwxyz012345")

const indexes = Array.from({ length: elements }, (_, index) => index)

export const smallKeys: ReadonlyArray<string> = indexes.map((i) => `bench:small:${i}`)
export const smallValues: ReadonlyArray<string> = smallKeys.map((key) => value(key, 64))
export const listValues: ReadonlyArray<string> = indexes.map((i) => value(`element:${i}`, 64))
export const hashEntries = indexes.map((i) => [`field:${i}`, value(`value:${i}`, 64)] as const)
/** Members with scores, some of them no integers, in order. */
export const scored = indexes.map((i) => [value(`member:${i}`, 64), i + i % 2 / 2] as const)
/** Ids of entries of a stream, and what each holds. */
export const entries = indexes.map((i) => [`${i + 1}-0`, "field", value(`entry:${i}`, 64)] as const)
const kibibyte = 1024
/** Long values, by the names of their sizes. */
export const large = {
  "4kb": value("large", 4 * kibibyte),
  "32kb": value("large", 32 * kibibyte),
  "1mb": value("large", mebibyte),
  "16mb": value("large", 16 * mebibyte)
}
export type LargeSize = keyof typeof large
export const largeBytes = {
  "4kb": Buffer.from(large["4kb"]),
  "32kb": Buffer.from(large["32kb"]),
  "1mb": Buffer.from(large["1mb"]),
  "16mb": Buffer.from(large["16mb"])
}

/** A raw command that puts data in place before the run. Its second word is its key, but for MSET, which has several. */
export type Preparation = ReadonlyArray<string>

/** Puts in place what every case reads. */
export const preparations: ReadonlyArray<Preparation> = [
  ["MSET", ...smallKeys.flatMap((key, i) => [key, smallValues[i] ?? ""])],
  ["RPUSH", "bench:list", ...listValues],
  ["HSET", "bench:hash", ...hashEntries.flat()],
  ["ZADD", "bench:scored", ...scored.flatMap(([member, score]) => [String(score), member])],
  ...entries.map(([id, ...pair]) => ["XADD", "bench:stream", id, ...pair]),
  ...Object.entries(large).map(([size, text]) => ["SET", `bench:large:${size}`, text])
]
