import { assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript-6"

const root = join(import.meta.dirname, "../../..")

/** What nobody saves: a program as its author sees it in an editor. */
const file = join(import.meta.dirname, "hovered.ts")

/** Each name is hovered over where it is declared: what editors show, and the documentation where there is some. */
const rows: ReadonlyArray<readonly [expression: string, shown: string]> = [
  ["Redis.get(\"k\")", "CacheableCommand<string | undefined, Uint8Array | undefined, string | undefined>"],
  ["Redis.set(\"k\", \"v\")", "RedisCommand<boolean, boolean, boolean>"],
  ["Redis.incr(\"n\")", "RedisCommand<number, number, bigint>"],
  ["Redis.ttl(\"k\")", "RedisCommand<number, number, bigint>"],
  [
    "Redis.mget(\"a\", \"b\")",
    "CacheableCommand<readonly (string | undefined)[], readonly (Uint8Array | undefined)[], " +
    "readonly (string | undefined)[]>"
  ],
  [
    "Redis.hgetall(\"h\")",
    "CacheableCommand<Readonly<Record<string, string>>, readonly (readonly [Uint8Array, Uint8Array])[], " +
    "Readonly<Record<string, string>>>"
  ],
  ["Redis.smembers(\"s\")", "CacheableCommand<ReadonlySet<string>, readonly Uint8Array[], ReadonlySet<string>>"],
  ["Redis.zscore(\"z\", \"m\")", "CacheableCommand<number | undefined, number | undefined, number | undefined>"],
  [
    "Redis.zrangeWithScores(\"z\", 0, -1)",
    "CacheableCommand<readonly Redis.ScoredMember<string>[], readonly Redis.ScoredMember<Uint8Array>[], readonly Redis.ScoredMember<string>[]>"
  ],
  ["Redis.xadd(\"s\", { f: \"v\" })", "RedisCommand<string, string, string>"],
  [
    "Redis.xrange(\"s\")",
    "CacheableCommand<readonly Redis.StreamEntry<Readonly<Record<string, string>>>[], readonly Redis.StreamEntry<Redis.BytesFields>[], " +
    "readonly Redis.StreamEntry<Readonly<Record<string, string>>>[]>"
  ],
  [
    "Redis.scan(\"0\")",
    "RedisCommand<{ readonly cursor: string; readonly keys: readonly string[]; }, " +
    "{ readonly cursor: string; readonly keys: readonly Uint8Array[]; }, " +
    "{ readonly cursor: string; readonly keys: readonly string[]; }>"
  ],
  [
    "RedisSearch.ftSearchNocontent(\"i\", \"hello\")",
    "RedisCommand<RedisSearch.FtFound<string>, RedisSearch.FtFound<Uint8Array>, RedisSearch.FtFound<string>>"
  ],
  [
    "Redis.asBytes(Redis.get(\"k\"))",
    "CacheableCommand<Uint8Array | undefined, Uint8Array | undefined, Uint8Array | undefined>"
  ],
  ["Redis.asBigInt(Redis.incr(\"n\"))", "RedisCommand<bigint, bigint, bigint>"],
  [
    "Redis.pipeline([Redis.get(\"k\"), Redis.incr(\"n\")])",
    "Effect.Effect<readonly [string | undefined, number], CommandError, RedisClient.RedisClient>"
  ],
  [
    "Redis.pipeline({ stored: Redis.set(\"k\", \"v\"), n: Redis.incr(\"n\") })",
    "Effect.Effect<{ readonly stored: boolean; readonly n: number; }, CommandError, RedisClient.RedisClient>"
  ],
  [
    "Redis.pipelineSettled({ stored: Redis.set(\"k\", \"v\"), n: Redis.incr(\"n\") })",
    "Effect.Effect<{ readonly stored: Result<boolean, CommandError>; readonly n: Result<number, CommandError>; }, never, " +
    "RedisClient.RedisClient>"
  ],
  [
    "Redis.transaction({ stored: Redis.set(\"k\", \"v\"), n: Redis.incr(\"n\") })",
    "Effect.Effect<{ readonly stored: boolean; readonly n: number; }, ExecAbortError | CommandError | WatchError, RedisClient.RedisClient>"
  ],
  [
    "Redis.transactionSettled({ n: Redis.incr(\"n\") })",
    "Effect.Effect<{ readonly n: Result<number, CommandError>; }, ExecAbortError | CommandError | WatchError, RedisClient.RedisClient>"
  ],
  [
    "Redis.watch(\"k\", Effect.succeed({ n: Redis.incr(\"n\") }))",
    "Effect.Effect<{ readonly n: number; }, ExecAbortError | CommandError | WatchError, RedisClient.RedisClient>"
  ],
  [
    "Redis.withConnection(Redis.get(\"k\"))",
    "Effect.Effect<string | undefined, CommandError, RedisClient.RedisClient>"
  ],
  ["Redis.scanStream()", "ScanStream<string>"],
  ["RedisClient.RedisClient.use(Effect.succeed)", "Effect.Effect<RedisClient.Client, never, RedisClient.RedisClient>"],
  [
    "RedisLock.make(\"l\").tryAcquire",
    "Effect.Effect<RedisLock.LockHandle | undefined, CommandError, RedisClient.RedisClient>"
  ],
  [
    "RedisLock.make(\"l\").withLock(Effect.succeed(1))",
    "Effect.Effect<number, CommandError | LockLikeError, RedisClient.RedisClient>"
  ]
]

/** The options that most programs write, all of which have a sentence of their own. */
const optionTypes = [
  "RedisConfig.StandaloneOptions",
  "RedisConfig.SentinelOptions",
  "RedisConfig.ClusterOptions",
  "RedisConfig.PoolOptions",
  "RedisConfig.ClusterPoolOptions",
  "RedisConfig.LimitOptions",
  "RedisConnector.TlsOptions",
  "RedisLock.LockOptions",
  "RedisPubSub.Options",
  "RedisPubSub.BufferOptions",
  "RedisStream.ConsumeOptions",
  "RedisCache.CacheOptions",
  "RedisUrl.ParseOptions"
]

const program = [
  `import { Redis, RedisCache, RedisClient, RedisConfig, RedisConnector, RedisLock, RedisPubSub } from "@redfx/core"`,
  `import { RedisSearch, RedisStream, RedisUrl } from "@redfx/core"`,
  `import * as Effect from "effect/Effect"`,
  ...rows.map(([expression], index) => `export const hovered${index} = ${expression}`),
  `declare const client: RedisClient.RedisClient["Service"]`,
  ...optionTypes.map((type, index) => `declare const options${index}: ${type}`),
  // A range is one of three kinds, each with a `rev`.
  `export const ranges = [Redis.zrange("k", 0, -1, { rev: true }), Redis.zrange("k", 1, 0, { byscore: true, rev: true })]`,
  `export const members = [client.execute, client.pipeline, client.transaction, client.withTimeout, client.reserve]`
].join("\n")

/** A service that has the program in memory, and everything else as it stands on the disk. */
const languageService = (): ts.LanguageService => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  return ts.createLanguageService({
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) =>
      name === file
        ? ts.ScriptSnapshot.fromString(program)
        : ts.sys.fileExists(name)
        ? ts.ScriptSnapshot.fromString(readFileSync(name, "utf8"))
        : undefined,
    getCurrentDirectory: () => root,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => name === file || ts.sys.fileExists(name),
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories
  })
}

describe("what editors show", () => {
  let service: ts.LanguageService
  beforeAll(() => {
    service = languageService()
    // The first look reads everything that the program imports.
    service.getQuickInfoAtPosition(file, program.indexOf("hovered0"))
  })

  const hover = (name: string): ts.QuickInfo | undefined =>
    service.getQuickInfoAtPosition(file, program.indexOf(name) + name.trimEnd().replace(" =", "").length - 1)

  for (const [index, [expression, shown]] of rows.entries()) {
    it(`of ${expression}`, () => {
      const text = ts.displayPartsToString(hover(`hovered${index} =`)?.displayParts)
      // Which buffer is behind bytes is the compiler's business.
      const line = text.replaceAll("Uint8Array<ArrayBufferLike>", "Uint8Array").replace(/\s+/g, " ")
      assert.strictEqual(line, `const hovered${index}: ${shown}`)
    })
  }

  for (const [index, type] of optionTypes.entries()) {
    it(`every option of ${type} has its documentation`, () => {
      const source = service.getProgram()?.getSourceFile(file)
      const checker = service.getProgram()?.getTypeChecker()
      assert.isDefined(source)
      assert.isDefined(checker)
      const found: Array<ts.Node> = []
      source.forEachChild((node) => {
        if (ts.isVariableStatement(node)) found.push(...node.declarationList.declarations)
      })
      const declared = found.find((node) => ts.isVariableDeclaration(node) && node.name.getText() === `options${index}`)
      assert.isDefined(declared)
      const type = checker.getTypeAtLocation(declared)
      // Of a choice every alternative has its own.
      const properties = (type.isUnion() ? type.types : [type]).flatMap((each) => each.getProperties())
        // What an alternative excludes needs none.
        .filter((property) => checker.typeToString(checker.getTypeOfSymbol(property)) !== "undefined")
      assert.isNotEmpty(properties)
      const silent = properties.filter((property) =>
        ts.displayPartsToString(property.getDocumentationComment(checker)) === ""
      )
      assert.deepStrictEqual(silent.map((property) => property.name), [])
    })
  }

  it("an option that all alternatives share has its documentation in each", () => {
    const places = [...program.matchAll(/rev: true/g)].map(({ index }) => index)
    assert.lengthOf(places, 2)
    for (const place of places) {
      const text = ts.displayPartsToString(service.getQuickInfoAtPosition(file, place)?.documentation)
      assert.match(text, /^Whether the range runs downwards\. /)
    }
  })

  it("the members of a client have their documentation", () => {
    const starts = {
      execute: "Runs one command",
      pipeline: "Runs several commands in one write",
      transaction: "Runs several commands between MULTI and EXEC",
      withTimeout: "The same client with another `commandTimeout`",
      reserve: "A client on one connection"
    }
    for (const [name, start] of Object.entries(starts)) {
      const documentation = ts.displayPartsToString(hover(`client.${name}`)?.documentation)
      assert.strictEqual(documentation.slice(0, start.length), start)
    }
  })
})
