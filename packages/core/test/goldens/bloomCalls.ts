/**
 * The commands of RedisBloom, made from their words.
 */
import type { RedisCommand } from "@redfx/core"
import { RedisBloom as Bloom } from "@redfx/core"
import type { Words } from "./Words.ts"

const infoFields = ["CAPACITY", "SIZE", "FILTERS", "ITEMS", "EXPANSION"]

const growth = {
  EXPANSION: (words: Words) => ({ expansion: words.number() }),
  NONSCALING: () => ({ nonscaling: true })
}

const insert = {
  ...growth,
  CAPACITY: (words: Words) => ({ capacity: words.number() }),
  ERROR: (words: Words) => ({ error: words.number() }),
  NOCREATE: () => ({ nocreate: true }),
  ITEMS: () => ({})
}

const cuckoo = {
  BUCKETSIZE: (words: Words) => ({ bucketsize: words.number() }),
  MAXITERATIONS: (words: Words) => ({ maxiterations: words.number() }),
  EXPANSION: (words: Words) => ({ expansion: words.number() })
}

const bytes = (words: Words): Uint8Array => {
  const word = words.value()
  return typeof word === "string" ? new TextEncoder().encode(word) : word
}

const numbers = (words: Words): ReadonlyArray<number> => {
  const found: Array<number> = []
  while (!words.isDone) found.push(words.number())
  return found
}

export const bloomCalls: Readonly<Record<string, (words: Words) => RedisCommand.Any>> = {
  "BF.ADD": (words) => Bloom.bfAdd(words.value(), words.value()),
  "BF.CARD": (words) => Bloom.bfCard(words.value()),
  "BF.EXISTS": (words) => Bloom.bfExists(words.value(), words.value()),
  "BF.INFO": (words) => {
    const key = words.value()
    return infoFields.includes(String(words.peek))
      ? Bloom.bfInfoField(key, words.choice<"capacity">())
      : Bloom.bfInfo(key)
  },
  "BF.INSERT": (words) => {
    const key = words.value()
    const options = words.options<Bloom.BfInsertOptions>(insert)
    return Bloom.bfInsert(key, words.rest(), options)
  },
  "BF.LOADCHUNK": (words) => Bloom.bfLoadchunk(words.value(), words.integer(), bytes(words)),
  "BF.MADD": (words) => Bloom.bfMadd(words.value(), words.rest()),
  "BF.MEXISTS": (words) => Bloom.bfMexists(words.value(), words.rest()),
  "BF.RESERVE": (words) => Bloom.bfReserve(words.value(), words.number(), words.number(), words.options(growth)),
  "BF.SCANDUMP": (words) => Bloom.bfScandump(words.value(), words.integer()),
  "CF.ADD": (words) => Bloom.cfAdd(words.value(), words.value()),
  "CF.ADDNX": (words) => Bloom.cfAddnx(words.value(), words.value()),
  "CF.COMPACT": (words) => Bloom.cfCompact(words.value()),
  "CF.COUNT": (words) => Bloom.cfCount(words.value(), words.value()),
  "CF.DEL": (words) => Bloom.cfDel(words.value(), words.value()),
  "CF.EXISTS": (words) => Bloom.cfExists(words.value(), words.value()),
  "CF.INFO": (words) => Bloom.cfInfo(words.value()),
  "CF.INSERT": (words) => {
    const key = words.value()
    const options = words.options<Bloom.CfInsertOptions>(insert)
    return Bloom.cfInsert(key, words.rest(), options)
  },
  "CF.INSERTNX": (words) => {
    const key = words.value()
    const options = words.options<Bloom.CfInsertOptions>(insert)
    return Bloom.cfInsertnx(key, words.rest(), options)
  },
  "CF.LOADCHUNK": (words) => Bloom.cfLoadchunk(words.value(), words.integer(), bytes(words)),
  "CF.MEXISTS": (words) => Bloom.cfMexists(words.value(), words.rest()),
  "CF.RESERVE": (words) => Bloom.cfReserve(words.value(), words.number(), words.options(cuckoo)),
  "CF.SCANDUMP": (words) => Bloom.cfScandump(words.value(), words.integer()),
  "CMS.INCRBY": (words) =>
    Bloom.cmsIncrby(words.value(), words.pairs((next) => next.value(), (next) => next.integer())),
  "CMS.INFO": (words) => Bloom.cmsInfo(words.value()),
  "CMS.INITBYDIM": (words) => Bloom.cmsInitbydim(words.value(), words.number(), words.number()),
  "CMS.INITBYPROB": (words) => Bloom.cmsInitbyprob(words.value(), words.number(), words.number()),
  "CMS.MERGE": (words) => {
    const destination = words.value()
    const keys = words.counted()
    const weights = words.took("WEIGHTS") ? keys.map(() => words.number()) : []
    return Bloom.cmsMerge(destination, keys.map((key, i) => ({ key, weight: weights[i] })))
  },
  "CMS.QUERY": (words) => Bloom.cmsQuery(words.value(), words.rest()),
  "TDIGEST.ADD": (words) => Bloom.tdigestAdd(words.value(), numbers(words)),
  "TDIGEST.BYRANK": (words) => Bloom.tdigestByrank(words.value(), numbers(words)),
  "TDIGEST.BYREVRANK": (words) => Bloom.tdigestByrevrank(words.value(), numbers(words)),
  "TDIGEST.CDF": (words) => Bloom.tdigestCdf(words.value(), numbers(words)),
  "TDIGEST.CREATE": (words) =>
    Bloom.tdigestCreate(words.value(), words.took("COMPRESSION") ? words.number() : undefined),
  "TDIGEST.INFO": (words) => Bloom.tdigestInfo(words.value()),
  "TDIGEST.MAX": (words) => Bloom.tdigestMax(words.value()),
  "TDIGEST.MERGE": (words) =>
    Bloom.tdigestMerge(
      words.value(),
      words.counted(),
      words.options({
        COMPRESSION: (next) => ({ compression: next.number() }),
        OVERRIDE: () => ({ override: true })
      })
    ),
  "TDIGEST.MIN": (words) => Bloom.tdigestMin(words.value()),
  "TDIGEST.QUANTILE": (words) => Bloom.tdigestQuantile(words.value(), numbers(words)),
  "TDIGEST.RANK": (words) => Bloom.tdigestRank(words.value(), numbers(words)),
  "TDIGEST.RESET": (words) => Bloom.tdigestReset(words.value()),
  "TDIGEST.REVRANK": (words) => Bloom.tdigestRevrank(words.value(), numbers(words)),
  "TDIGEST.TRIMMED_MEAN": (words) => Bloom.tdigestTrimmedMean(words.value(), words.number(), words.number()),
  "TOPK.ADD": (words) => Bloom.topkAdd(words.value(), words.rest()),
  "TOPK.COUNT": (words) => Bloom.topkCount(words.value(), words.rest()),
  "TOPK.INCRBY": (words) =>
    Bloom.topkIncrby(words.value(), words.pairs((next) => next.value(), (next) => next.number())),
  "TOPK.INFO": (words) => Bloom.topkInfo(words.value()),
  "TOPK.LIST": (words) => {
    const key = words.value()
    return words.took("WITHCOUNT") ? Bloom.topkListWithcount(key) : Bloom.topkList(key)
  },
  "TOPK.QUERY": (words) => Bloom.topkQuery(words.value(), words.rest()),
  "TOPK.RESERVE": (words) => {
    const key = words.value()
    const topk = words.number()
    return words.isDone
      ? Bloom.topkReserve(key, topk)
      : Bloom.topkReserve(key, topk, { width: words.number(), depth: words.number(), decay: words.number() })
  }
}
