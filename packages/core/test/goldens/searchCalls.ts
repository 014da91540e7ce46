/**
 * The commands of RediSearch, made from their words.
 */
import type { RedisCommand } from "@redfx/core"
import { RedisSearch as Search } from "@redfx/core"
import { numberOf } from "./Words.ts"
import type { Word, Words } from "./Words.ts"

// -----------------------------------------------------------------------------
// Indexes
// -----------------------------------------------------------------------------

const creation = {
  ON: (words: Words) => ({ on: words.choice() }),
  PREFIX: (words: Words) => ({ prefix: words.countedTexts() }),
  FILTER: (words: Words) => ({ filter: words.text() }),
  LANGUAGE: (words: Words) => ({ language: words.text() }),
  LANGUAGE_FIELD: (words: Words) => ({ languageField: words.text() }),
  SCORE: (words: Words) => ({ score: words.number() }),
  SCORE_FIELD: (words: Words) => ({ scoreField: words.text() }),
  PAYLOAD_FIELD: (words: Words) => ({ payloadField: words.text() }),
  MAXTEXTFIELDS: () => ({ maxtextfields: true }),
  TEMPORARY: (words: Words) => ({ temporary: words.number() }),
  NOOFFSETS: () => ({ nooffsets: true }),
  NOHL: () => ({ nohl: true }),
  NOFIELDS: () => ({ nofields: true }),
  NOFREQS: () => ({ nofreqs: true }),
  STOPWORDS: (words: Words) => ({ stopwords: words.countedTexts() }),
  SKIPINITIALSCAN: () => ({ skipinitialscan: true })
}

const fieldOptions = {
  NOSTEM: () => ({ nostem: true }),
  WEIGHT: (words: Words) => ({ weight: words.number() }),
  PHONETIC: (words: Words) => ({ phonetic: words.text() }),
  WITHSUFFIXTRIE: () => ({ withsuffixtrie: true }),
  INDEXEMPTY: () => ({ indexempty: true }),
  INDEXMISSING: () => ({ indexmissing: true }),
  SEPARATOR: (words: Words) => ({ separator: words.text() }),
  CASESENSITIVE: () => ({ casesensitive: true }),
  SORTABLE: (words: Words) => ({ sortable: words.took("UNF") ? "unf" : true }),
  NOINDEX: () => ({ noindex: true }),
  FLAT: (words: Words) => isCount(words.peek) ? vector("flat", words) : { coordSystem: "flat" },
  SPHERICAL: () => ({ coordSystem: "spherical" }),
  HNSW: (words: Words) => vector("hnsw", words)
}

const isCount = (word: Word | undefined): boolean => typeof word === "string" && /^\d+$/.test(word)

const vector = (algorithm: string, words: Words): object => {
  const attributes = words.countedTexts()
  const pairs = attributes.flatMap((name, i) => i % 2 === 0 ? [[name, value(attributes[i + 1] ?? "")]] : [])
  return { algorithm, attributes: Object.fromEntries(pairs) }
}

const value = (word: string): string | number => numberOf(word) ?? word

const schema = (words: Words): ReadonlyArray<Search.FtField> => {
  const fields: Array<Search.FtField> = []
  while (!words.isDone) {
    const name = words.text()
    const as = words.took("AS") ? words.text() : undefined
    const type = words.choice()
    // The words of each type are the options that the type of field has.
    fields.push({ ...words.options(fieldOptions), name, as, type } as Search.FtField)
  }
  return fields
}

// -----------------------------------------------------------------------------
// Queries
// -----------------------------------------------------------------------------

const order = (words: Words): { readonly order?: "asc" | "desc" } =>
  words.peek === "ASC" || words.peek === "DESC" ? { order: words.choice() } : {}

const returned = (words: Words): object => {
  const list = words.countedTexts()
  const fields: Array<string | { readonly field: string; readonly as: string }> = []
  for (let i = 0; i < list.length; i += 1) {
    const field = list[i] ?? ""
    if (list[i + 1] === "AS") fields.push({ field, as: list[i += 2] ?? "" })
    else fields.push(field)
  }
  return { return: fields }
}

const params = (words: Words): object => {
  const list = words.counted()
  return {
    params: Object.fromEntries(list.flatMap((name, i) => i % 2 === 0 ? [[String(name), list[i + 1] ?? ""]] : []))
  }
}

const query = {
  VERBATIM: () => ({ verbatim: true }),
  TIMEOUT: (words: Words) => ({ timeout: words.number() }),
  SCORER: (words: Words) => ({ scorer: words.text() }),
  PARAMS: params,
  DIALECT: (words: Words) => ({ dialect: words.number() })
}

const tell = {
  NOCONTENT: () => ({ nocontent: true }),
  WITHSCORES: () => ({ withscores: true }),
  EXPLAINSCORE: () => ({ explainscore: true }),
  WITHPAYLOADS: () => ({ withpayloads: true }),
  WITHSORTKEYS: () => ({ withsortkeys: true })
}

const searching = {
  ...query,
  FILTER: (words: Words) => ({ filter: [{ field: words.text(), min: words.number(), max: words.number() }] }),
  NOSTOPWORDS: () => ({ nostopwords: true }),
  INKEYS: (words: Words) => ({ inkeys: words.counted() }),
  INFIELDS: (words: Words) => ({ infields: words.countedTexts() }),
  RETURN: returned,
  SUMMARIZE: (words: Words) => {
    const summarize = words.options({
      FIELDS: (next) => ({ fields: next.countedTexts() }),
      FRAGS: (next) => ({ frags: next.number() }),
      LEN: (next) => ({ len: next.number() }),
      SEPARATOR: (next) => ({ separator: next.text() })
    })
    return { summarize: Object.keys(summarize).length === 0 ? true : summarize }
  },
  HIGHLIGHT: (words: Words) => {
    const highlight = words.options({
      FIELDS: (next) => ({ fields: next.countedTexts() }),
      TAGS: (next) => ({ tags: [next.text(), next.text()] })
    })
    return { highlight: Object.keys(highlight).length === 0 ? true : highlight }
  },
  SLOP: (words: Words) => ({ slop: words.number() }),
  INORDER: () => ({ inorder: true }),
  LANGUAGE: (words: Words) => ({ language: words.text() }),
  EXPANDER: (words: Words) => ({ expander: words.text() }),
  SORTBY: (words: Words) => ({ sortby: { field: words.text(), ...order(words) } }),
  LIMIT: (words: Words) => ({ limit: { offset: words.number(), count: words.number() } })
}

/** The simplest function that sends these words. */
const search = (index: string, text: string, words: Words) => {
  type Read = Search.FtSearchOptions & { -readonly [K in keyof Search.FtTell]?: true }
  const { explainscore, nocontent, withpayloads, withscores, withsortkeys, ...options } = words.options<Read>({
    ...searching,
    ...tell
  })
  if (explainscore === true) {
    return Search.ftSearchWith(index, text, { withscores: true, explainscore, nocontent }, options)
  }
  if (withpayloads === true || withsortkeys === true) {
    return Search.ftSearchWith(index, text, { withpayloads, withsortkeys }, options)
  }
  if (withscores === true) return Search.ftSearchWithscores(index, text, options)
  return nocontent === true ? Search.ftSearchNocontent(index, text, options) : Search.ftSearch(index, text, options)
}

const reducers = (words: Words): ReadonlyArray<object> => {
  const found: Array<object> = []
  while (words.took("REDUCE")) {
    const name = words.text()
    const args = words.counted()
    found.push({ function: name, args, ...words.took("AS") ? { as: words.text() } : {} })
  }
  return found
}

const sorted = (words: Words): object => {
  const list = words.countedTexts()
  const fields = list.flatMap((field, i) => i % 2 === 0 ? [{ field, order: list[i + 1]?.toLowerCase() }] : [])
  return { sortby: fields, ...words.took("MAX") ? { max: words.number() } : {} }
}

const steps: Readonly<Record<string, (words: Words) => object>> = {
  LOAD: (words) => ({ load: words.took("*") ? "*" : words.countedTexts() }),
  GROUPBY: (words) => ({ groupby: words.countedTexts(), reduce: reducers(words) }),
  SORTBY: sorted,
  APPLY: (words) => ({ apply: words.text(), ...words.took("AS") ? { as: words.text() } : {} }),
  LIMIT: (words) => ({ limit: { offset: words.number(), count: words.number() } }),
  FILTER: (words) => ({ filter: words.text() })
}

const aggregate = (index: string, text: string, words: Words) => {
  const found: Array<Search.FtStep> = []
  const step = (read: (words: Words) => object) => (next: Words) => {
    // The words of a step are what the type of the step has.
    found.push(read(next) as Search.FtStep)
    return {}
  }
  const options = words.options<Search.FtAggregateOptions & Search.FtCursorOptions & { readonly cursor?: true }>({
    ...query,
    ...Object.fromEntries(Object.entries(steps).map(([token, read]) => [token, step(read)])),
    ADDSCORES: () => ({ addscores: true }),
    WITHCURSOR: (next) => ({
      cursor: true,
      ...next.options({
        COUNT: (more) => ({ count: more.number() }),
        MAXIDLE: (more) => ({ maxidle: more.number() })
      })
    })
  })
  return options.cursor === true
    ? Search.ftAggregateWithcursor(index, text, found, options)
    : Search.ftAggregate(index, text, found, options)
}

const profile = (words: Words): RedisCommand.Any => {
  const index = words.text()
  const isSearch = words.took("SEARCH")
  if (!isSearch) words.took("AGGREGATE")
  const limited = words.took("LIMITED")
  words.took("QUERY")
  const command = (isSearch ? search : aggregate)(index, words.text(), words)
  // Any of the queries that these words may be.
  return Search.ftProfile(command as ReturnType<typeof Search.ftSearch>, { limited })
}

const suggest = (words: Words): RedisCommand.Any => {
  const key = words.value()
  const prefix = words.text()
  type Read = Search.FtSuggetOptions & { readonly scores?: true; readonly payloads?: true }
  const { payloads, scores, ...options } = words.options<Read>({
    FUZZY: () => ({ fuzzy: true }),
    MAX: (next) => ({ max: next.number() }),
    WITHSCORES: () => ({ scores: true }),
    WITHPAYLOADS: () => ({ payloads: true })
  })
  const make = payloads === true
    ? Search.ftSuggetWithpayloads
    : scores === true
    ? Search.ftSuggetWithscores
    : Search.ftSugget
  return make(key, prefix, options)
}

const spellcheck = (words: Words): RedisCommand.Any => {
  const index = words.text()
  const text = words.text()
  const include: Array<string> = []
  const exclude: Array<string> = []
  const options = words.options<Search.FtSpellcheckOptions>({
    DISTANCE: (next) => ({ distance: next.number() }),
    DIALECT: (next) => ({ dialect: next.number() }),
    TERMS: (next) => {
      const list = next.took("INCLUDE") ? include : (next.took("EXCLUDE"), exclude)
      list.push(next.text())
      return {}
    }
  })
  return Search.ftSpellcheck(index, text, { ...options, include, exclude })
}

export const searchCalls: Readonly<Record<string, (words: Words) => RedisCommand.Any>> = {
  "FT.AGGREGATE": (words) => aggregate(words.text(), words.text(), words),
  "FT.ALIASADD": (words) => Search.ftAliasadd(words.text(), words.text()),
  "FT.ALIASDEL": (words) => Search.ftAliasdel(words.text()),
  "FT.ALIASUPDATE": (words) => Search.ftAliasupdate(words.text(), words.text()),
  "FT.ALTER": (words) => {
    const index = words.text()
    const options = words.options(creation)
    words.took("SCHEMA")
    words.took("ADD")
    return Search.ftAlter(index, schema(words), options)
  },
  "FT.CONFIG": (words) =>
    words.took("GET")
      ? Search.ftConfigGet(words.text())
      : Search.ftConfigSet((words.took("SET"), words.text()), words.value()),
  "FT.CREATE": (words) => {
    const index = words.text()
    const options = words.options<Search.FtCreateOptions>(creation)
    words.took("SCHEMA")
    return Search.ftCreate(index, schema(words), options)
  },
  "FT.CURSOR": (words) => {
    if (words.took("DEL")) return Search.ftCursorDel(words.text(), words.integer())
    words.took("READ")
    return Search.ftCursorRead(words.text(), words.integer(), words.took("COUNT") ? words.number() : undefined)
  },
  "FT.DICTADD": (words) => Search.ftDictadd(words.text(), words.restTexts()),
  "FT.DICTDEL": (words) => Search.ftDictdel(words.text(), words.restTexts()),
  "FT.DICTDUMP": (words) => Search.ftDictdump(words.text()),
  "FT.DROPINDEX": (words) => Search.ftDropindex(words.text(), { dd: words.took("DD") }),
  "FT.EXPLAIN": (words) => Search.ftExplain(words.text(), words.text(), words.options(query)),
  "FT.EXPLAINCLI": (words) => Search.ftExplaincli(words.text(), words.text(), words.options(query)),
  "FT.INFO": (words) => Search.ftInfo(words.text()),
  "FT.PROFILE": profile,
  "FT.SEARCH": (words) => search(words.text(), words.text(), words),
  "FT.SPELLCHECK": spellcheck,
  "FT.SUGADD": (words) =>
    Search.ftSugadd(
      words.value(),
      words.text(),
      words.number(),
      words.options({ INCR: () => ({ incr: true }), PAYLOAD: (next) => ({ payload: next.value() }) })
    ),
  "FT.SUGDEL": (words) => Search.ftSugdel(words.value(), words.text()),
  "FT.SUGGET": suggest,
  "FT.SUGLEN": (words) => Search.ftSuglen(words.value()),
  "FT.SYNDUMP": (words) => Search.ftSyndump(words.text()),
  "FT.SYNUPDATE": (words) => {
    const index = words.text()
    const group = words.text()
    const options = { skipinitialscan: words.took("SKIPINITIALSCAN") }
    return Search.ftSynupdate(index, group, words.restTexts(), options)
  },
  "FT.TAGVALS": (words) => Search.ftTagvals(words.text(), words.text()),
  "FT._LIST": () => Search.ftList()
}
