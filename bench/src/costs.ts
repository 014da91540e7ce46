/** What a command of each client costs in bytes and in system calls, measured by `costs-child.ts`. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { cases } from "./cases.ts"
import type { Case } from "./cases.ts"
import { onOtherCores } from "./cores.ts"
import type { Bytes } from "./costs-child.ts"
import { commandsOf, mark } from "./costs-child.ts"
import type { Address } from "./session.ts"

/** What a command of one client costs in one case. */
export interface Cost {
  readonly client: string
  readonly case: string
  readonly title: string
  /** Bytes allocated on the JavaScript heap for a command. */
  readonly heap: number
  /** Bytes of buffers beside it. */
  readonly buffers: number
  /** Writes and reads for 1000 commands, of all threads; absent where there is no strace. */
  readonly calls?: { readonly writes: number; readonly reads: number } | undefined
}

/** Nothing is collected in a process with these flags, if it does not take long. */
export const withoutCollections = ["--expose-gc", "--max-semi-space-size=512", "--min-semi-space-size=512"]

const childFile = join(import.meta.dirname, "costs-child.ts")

/** Runs a program to its end and returns what it prints; rejects with what it complains of. */
export async function output(command: string, args: ReadonlyArray<string>): Promise<string> {
  const [program = command, ...words] = [...onOtherCores(), command, ...args]
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] })
  const kill = (): void => void child.kill("SIGKILL")
  process.once("exit", kill)
  let [printed, complaint] = ["", ""]
  child.stdout.on("data", (data) => printed += String(data))
  child.stderr.on("data", (data) => complaint += String(data))
  const [code] = await once(child, "close")
  process.off("exit", kill)
  if (code !== 0) throw new Error(complaint.split("\n").find((line) => /error/i.test(line)) ?? `exit code ${code}`)
  return printed
}

async function bytes(client: string, { port }: Address, names: ReadonlyArray<string>): Promise<ReadonlyArray<Bytes>> {
  const args = [...withoutCollections, childFile, client, String(port), "bytes", ...names]
  // One object a line, as the child writes them.
  return (await output(process.execPath, args)).trim().split("\n").map((line) => JSON.parse(line) as Bytes)
}

const writing = ["write", "writev", "sendto", "sendmsg"]
const reading = ["read", "readv", "recvfrom", "recvmsg"]

/** Lines of strace between the marks of a case. A call that another thread interrupts is in two lines, the second `resumed`. */
function callsOf(lines: ReadonlyArray<string>, item: Case): Cost["calls"] {
  const begin = lines.findIndex((line) => line.includes(mark(item.name, "begin")))
  const end = lines.findIndex((line) => line.includes(mark(item.name, "end")))
  if (begin < 0 || end < 0) return undefined
  const names = lines.slice(begin + 1, end).map((line) => /^(?:\d+ +)?(\w+)\(/.exec(line)?.[1] ?? "")
  const count = (of: ReadonlyArray<string>): number =>
    names.filter((name) => of.includes(name)).length * 1000 / commandsOf(item)
  return { writes: count(writing), reads: count(reading) }
}

/** Which system calls a client makes in each case; none where strace is not there or not allowed. */
async function calls(client: string, { port }: Address, names: ReadonlyArray<string>): Promise<ReadonlyArray<string>> {
  const directory = mkdtempSync(join(tmpdir(), "redfx-bench-"))
  const file = join(directory, "calls")
  const traced = ["-f", "-qq", "-s", "64", "-o", file, "-e", `trace=${[...writing, ...reading].join(",")}`]
  try {
    await output("strace", [...traced, process.execPath, childFile, client, String(port), "calls", ...names])
    return readFileSync(file, "utf8").split("\n")
  } catch {
    return []
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Measures the named cases of each client. */
export async function measureCosts(
  clients: ReadonlyArray<string>,
  address: Address,
  isWanted: (caseName: string) => boolean
): Promise<ReadonlyArray<Cost>> {
  const wanted = cases.filter(({ costs, name }) => costs !== undefined && isWanted(name))
  const names = wanted.map(({ name }) => name)
  if (names.length === 0) return []
  const results: Array<Cost> = []
  for (const client of clients) {
    const allocated = await bytes(client, address, names)
    const lines = await calls(client, address, names)
    for (const item of wanted) {
      const found = allocated.find((each) => each.case === item.name)
      if (found === undefined) continue
      const { buffers, heap } = found
      results.push({ client, case: item.name, title: item.title, heap, buffers, calls: callsOf(lines, item) })
    }
  }
  return results
}
