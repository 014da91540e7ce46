/**
 * Writes `scripts/server-commands.json`: which commands servers have, to which family they count them, which version of
 * Redis or Valkey was the first to have them, and which of them take constant time. It asks the servers that it is given,
 * all of which must be there; what reads the file needs none. A server is called by the name of
 * its file: `valkey-server-9.1` is `valkey 9.1`.
 *
 *     node scripts/server-commands.ts /path/to/redis-server-8.6 /path/to/valkey-server-9.1 …
 */
import { writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import process from "node:process"
import * as Conformance from "../test/harness/Conformance.ts"

const file = join(import.meta.dirname, "server-commands.json")
const servers = new Map<string, ReadonlyArray<string>>()
const families = new Map<string, string>()
const since = { redis: new Map<string, string>(), valkey: new Map<string, string>() }
const constant = new Set<string>()

/** What a subcommand belongs to. */
const containerOf = (name: string): string => name.slice(0, Math.max(name.indexOf(" "), 0))

for (const path of process.argv.slice(2)) {
  const server = await Conformance.askServer([], path)
  const containers = new Set(server.names.map(containerOf))
  // COMMAND has subcommands, and is a command without one.
  const alone = [...containers].filter((name) => server.command(name)?.arity === -1)
  const names = [...new Set([...server.names, ...alone])].sort()
  for (const name of names) {
    const family = server.group(name) ?? (name.startsWith("SENTINEL ") ? "sentinel" : undefined)
    if (family !== undefined) families.set(name, family)
    const version = server.since(name)
    if (version !== undefined) since[server.version.kind].set(name, version)
    if (server.complexity(name) === "O(1)") constant.add(name)
    else constant.delete(name)
  }
  servers.set(basename(path).replace("-server-", " "), names)
}

// Containers are no commands; an old server names nothing else.
const containers = new Set([...families.keys()].map(containerOf).filter((name) => !families.has(name)))
const lists: Record<string, string> = {}
for (const [server, names] of servers) {
  const commands = names.filter((name) => !containers.has(name))
  lists[server] = commands.join(", ")
  console.log(`${server}: ${commands.length} commands`)
}

/** Names by something that they have in common. */
const grouped = (names: ReadonlyMap<string, string>): Readonly<Record<string, string>> => {
  const groups: Record<string, string> = {}
  for (const group of [...new Set(names.values())].sort((a, b) => a.localeCompare(b, "en", { numeric: true }))) {
    groups[group] = [...names].filter(([, other]) => other === group).map(([name]) => name).sort().join(", ")
  }
  return groups
}

const told = {
  servers: lists,
  families: grouped(families),
  since: { redis: grouped(since.redis), valkey: grouped(since.valkey) },
  constant: [...constant].sort().join(", ")
}
writeFileSync(file, `${JSON.stringify(told, undefined, 2)}\n`)
