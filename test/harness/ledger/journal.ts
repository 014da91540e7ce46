/**
 * A journal of what real servers have run, as MONITOR reports it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as Store from "./store.ts"

/**
 * - `applied`: how often each write was run. `published`: what was published, in the order of one server.
 * - `seen`: waits until a server has told of everything before a mark that was sent to it.
 */
export interface Journal {
  readonly applied: Map<string, number>
  readonly published: Array<string>
  commands: number
  readonly follow: (server: { readonly host: string; readonly port: number }) => Effect.Effect<void, never, Scope.Scope>
  readonly seen: (mark: string, times: number) => Effect.Effect<void>
}

/**
 * The commands that carry a token and do nothing themselves: scripts report what they run, and a slot on its way keeps
 * its data.
 */
const silent = new Set(["EVAL", "EVALSHA", "FCALL", "ECHO", "RESTORE-ASKING", "MIGRATE"])

const argument = /"((?:[^"\\]|\\.)*)"/g

/** The arguments of a command in a line. */
const argumentsOf = (line: string): ReadonlyArray<string> => [...line.matchAll(argument)].map(([, text = ""]) => text)

/** A journal that follows nobody yet. */
export const make = (): Journal => {
  const marks = new Map<string, number>()
  const read = (line: string): void => {
    const [name = "", ...args] = argumentsOf(line)
    const command = name.toUpperCase()
    journal.commands++
    if (command === "ECHO") marks.set(args[0] ?? "", (marks.get(args[0] ?? "") ?? 0) + 1)
    // MONITOR also reports commands that fail because a key holds another type.
    if (silent.has(command) || Store.isRead(command) || args[0]?.endsWith(":bad") === true) return
    const tokens = Store.tokensIn(command === "SET" ? args.slice(1) : args)
    for (const token of tokens) journal.applied.set(token, (journal.applied.get(token) ?? 0) + 1)
    if (command === "PUBLISH") journal.published.push(args[1] ?? "")
  }
  const journal: Journal = {
    applied: new Map(),
    published: [],
    commands: 0,
    follow: (server) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.callback<Net.Socket>((resume) => {
          const socket = Net.connect(server)
          let rest = ""
          socket.on("data", (chunk) => {
            const lines = (rest + chunk.toString("latin1")).split("\r\n")
            rest = lines.pop() ?? ""
            for (const line of lines) {
              if (line !== "+OK") read(line)
              else resume(Effect.succeed(socket))
            }
          })
          socket.write("MONITOR\r\n")
        }),
        (socket) => Effect.sync(() => socket.destroy())
      )),
    seen: (mark, times) =>
      Effect.asVoid(Effect.repeat(Effect.sleep(1), { while: () => (marks.get(mark) ?? 0) < times }))
  }
  return journal
}
