/**
 * Writes `scripts/server-commands.json`: which commands servers have, and to which family they count them. It asks the
 * servers that it is given, all of which must be there; what reads the file needs none. A server is called by the name of
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

const groups: Record<string, string> = {}
for (const family of [...new Set(families.values())].sort()) {
  groups[family] = [...families].filter(([, other]) => other === family).map(([name]) => name).sort().join(", ")
}
writeFileSync(file, `${JSON.stringify({ servers: lists, families: groups }, undefined, 2)}\n`)
