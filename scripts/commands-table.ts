/**
 * Writes `docs/commands.md`: the commands of servers by family, which of them redfx has, and which were run on a server.
 *
 *     node scripts/commands-table.ts [--check]
 *
 * What servers have stands in `server-commands.json`, so no server is needed. A command was run live when a test that
 * starts servers, and fakes none, calls its function; any other has rows of a table only. Fails when a command has no
 * family; with `--check` also when the page is out of date.
 */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { parseSync, Visitor } from "rolldown/utils"
import * as Core from "../packages/core/src/index.ts"
import { newerCommands, notOffered } from "../test/conformance-exclusions.ts"
import type { Since } from "../test/conformance-exclusions.ts"
import { generate, table } from "./generated.ts"
import known from "./server-commands.json" with { type: "json" }

const root = join(import.meta.dirname, "..")
const problems: Array<string> = []

const split = (names: string): ReadonlyArray<string> => names.split(", ")

/** Families in the order of the page, by the names that servers have for them. */
const titles: Readonly<Record<string, string>> = {
  generic: "Keys",
  string: "Strings",
  bitmap: "Bitmaps",
  hash: "Hashes",
  list: "Lists",
  set: "Sets",
  "sorted-set": "Sorted sets",
  stream: "Streams",
  geo: "Places",
  hyperloglog: "HyperLogLogs",
  module: "Vector sets",
  array: "Arrays",
  pathhash: "Path hashes",
  pubsub: "Messages",
  scripting: "Scripts and functions",
  transactions: "Transactions",
  connection: "Connections",
  server: "The server",
  cluster: "The cluster",
  sentinel: "Sentinels"
}

/** Families of commands that none of the servers has that were asked. */
const newerFamilies: ReadonlyArray<readonly [names: RegExp, family: string]> = [
  [/^AR/, "array"],
  [/^PH/, "pathhash"],
  [/^INCREX$/, "string"],
  [/^HIMPORT /, "hash"],
  [/^B?LMOVEM$/, "list"],
  [/^S(DIFF|UNION)CARD$/, "set"],
  [/^XNACK$/, "stream"],
  [/^(ACL|BACKUP) /, "server"],
  // What Redis 6 alone has, which tells no families.
  [/^STRALGO$/, "string"],
  [/^(HOST:|POST)$/, "server"]
]

const families = new Map(
  Object.entries(known.families).flatMap(([family, names]) => split(names).map((name) => [name, family] as const))
)

const familyOf = (name: string): string => {
  const family = families.get(name) ?? newerFamilies.find(([names]) => names.test(name))?.[1]
  if (family === undefined || titles[family] === undefined) {
    problems.push(`${name} is of the family ${family}, which scripts/commands-table.ts does not know`)
  }
  return family ?? ""
}

/** Functions that make commands, by their names, such as `Redis.get`. */
const functions: ReadonlyMap<string, string> = new Map(
  Object.entries(Core).flatMap(([module, members]) =>
    Object.entries(members).flatMap(([name, value]) =>
      typeof value === "function" && "spec" in value && value.spec instanceof Core.RedisCommand.Spec
        ? [[`${module}.${name}`, value.spec.name] as const]
        : []
    )
  )
)

const served = new Set(Object.values(known.servers).flatMap(split))
const newer = new Map(newerCommands.flatMap(({ commands, ...since }) => split(commands).map((name) => [name, since])))
/** Without those of modules, and of DEBUG, whose subcommands no server lists. */
const ours = new Set(
  [...functions.values()].filter((name) => !name.includes(".") && (served.has(name) || newer.has(name)))
)
const live = calledIn(liveTests())

const text = write()
generate("docs/commands.md", text, "commands-table")
for (const problem of problems) console.error(problem)
console.log(text.split("\n").filter((line) => line.startsWith("|")).join("\n"))
if (problems.length > 0) process.exitCode = 1

/** Tests that start servers of their own and fake none, and the suites that these run. */
function liveTests(): ReadonlyArray<string> {
  const starts = /\bRedis(Server|ClusterServers|SentinelServers)\b|\bredisServer\b/
  const tests = globSync(["packages/*/test/**/*.test.ts", "test/**/*.test.ts"], { cwd: root }).filter((file) => {
    const source = readFileSync(join(root, file), "utf8")
    return starts.test(source) && !/\bFake(Node|Cluster|Sentinel)\b/.test(source)
  })
  return [...globSync("packages/testing/src/suites/*Test.ts", { cwd: root }), ...tests]
}

/** The commands whose functions these files name. */
function calledIn(files: ReadonlyArray<string>): ReadonlySet<string> {
  const found = new Set<string>()
  for (const file of files) {
    new Visitor({
      MemberExpression: ({ object, property }) => {
        if (object.type !== "Identifier" || property.type !== "Identifier") return
        const name = functions.get(`${object.name}.${property.name}`)
        if (name !== undefined) found.add(name)
      }
    }).visit(parseSync(file, readFileSync(join(root, file), "utf8")).program)
  }
  return found
}

interface Row {
  readonly title: string
  /** Commands of the servers that were asked; of these: with a function, run live, without a function. */
  readonly served: ReadonlyArray<string>
  readonly ours: ReadonlyArray<string>
  readonly live: ReadonlyArray<string>
  readonly lacking: ReadonlyArray<string>
  /** Commands with a function that only newer servers have. */
  readonly newer: ReadonlyArray<string>
}

function rowsOf(): ReadonlyArray<Row> {
  const all = new Map([...served, ...ours].map((name) => [name, familyOf(name)]))
  return Object.entries(titles).map(([family, title]) => {
    const names = [...all].filter(([, other]) => other === family).map(([name]) => name).sort()
    const here = names.filter((name) => served.has(name))
    return {
      title,
      served: here,
      ours: here.filter((name) => ours.has(name)),
      live: here.filter((name) => ours.has(name) && live.has(name)),
      lacking: here.filter((name) => !ours.has(name)),
      newer: names.filter((name) => !served.has(name))
    }
  })
}

function write(): string {
  const rows = rowsOf()
  const sum = (of: (row: Row) => ReadonlyArray<string>): number =>
    rows.reduce((total, row) => total + of(row).length, 0)
  const counts = (count: (of: (row: Row) => ReadonlyArray<string>) => number): ReadonlyArray<number> => [
    count((row) => row.served),
    count((row) => row.ours),
    count((row) => row.live),
    count((row) => row.ours) - count((row) => row.live),
    count((row) => row.newer)
  ]
  return [
    // The formatter would align columns.
    "<!-- dprint-ignore-file -->",
    "<!-- Written by scripts/commands-table.ts from scripts/server-commands.json, the functions of redfx and its tests. -->",
    "",
    "# Commands",
    "",
    `The commands and subcommands of ${
      list(Object.keys(known.servers).map(titled))
    }, as these servers tell them, by family.`,
    "\"Run live\": a test calls the function on a real server. \"By table only\": what is sent and how replies are read is tested",
    "without one. \"Newer\": commands that none of these servers has, after the sources and the documentation of those that do.",
    "",
    ...table([
      ["Family", "Servers have", "redfx has", "Run live", "By table only", "Newer, by table only"],
      ...rows.map((row) => [row.title, ...counts((of) => of(row).length)]),
      ["**All**", ...counts(sum)]
    ], { isAligned: false }),
    "",
    "Commands of modules (`RedisBloom`, `RedisJson`, `RedisSearch`, `RedisTimeSeries`) are counted elsewhere: what a server has",
    "of them depends on what was loaded into it. [A command that redfx lacks](own-commands.md) is a line of your own.",
    "",
    "## By table only",
    "",
    "What these do on a server is not tried by a test: they end or reconfigure it, or need what a test has not got.",
    "",
    ...rows.flatMap(({ live, ours, title }) => named(title, ours.filter((name) => !live.includes(name)))),
    "",
    "## Of newer servers",
    "",
    ...versions(rows.flatMap(({ newer }) => newer)),
    "",
    "## Without a function",
    "",
    ...notOffered.flatMap(({ commands, reason }) =>
      named(reason, rows.flatMap(({ lacking }) => lacking).filter((name) => commands.test(name)), false)
    ),
    ""
  ].join("\n")
}

function named(title: string, names: ReadonlyArray<string>, first = true): ReadonlyArray<string> {
  const codes = names.map((name) => `\`${name}\``).join(", ")
  return names.length === 0 ? [] : [first ? `- ${title}: ${codes}` : `- ${codes}: ${title}`]
}

/** The commands of newer servers, by the versions that brought them. */
function versions(names: ReadonlyArray<string>): ReadonlyArray<string> {
  const byVersion = new Map<string, Array<string>>()
  for (const name of names) {
    const since = newer.get(name)
    if (since === undefined) {
      problems.push(`${name} is on no server and of no version in test/conformance-exclusions.ts`)
    }
    const title = versionOf(since ?? {})
    byVersion.set(title, [...byVersion.get(title) ?? [], name])
  }
  return [...byVersion].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .flatMap(([title, names]) => named(title, names))
}

function versionOf({ redis, valkey }: Since): string {
  return [redis === undefined ? [] : [`Redis ${redis}`], valkey === undefined ? [] : [`Valkey ${valkey}`]].flat()
    .join(" and ")
}

function titled(server: string): string {
  return server.slice(0, 1).toUpperCase() + server.slice(1)
}

function list(names: ReadonlyArray<string>): string {
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`
}
