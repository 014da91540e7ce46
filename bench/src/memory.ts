/** Memory while very many commands are queued or channels subscribed to, one child process per client and condition. */
import { fork } from "node:child_process"
import { once } from "node:events"
import process from "node:process"
import { forkOnOtherCores } from "./cores.ts"
import type { Growth, Report } from "./memory-child.ts"
import type { Server } from "./server.ts"
import type { Settled } from "./session.ts"

/** Whether the server answers while commands are queued; or no commands, but subscriptions. */
export type Condition = "running" | "stalled" | "subscriptions"

/** What that cost one client under one condition. */
export interface MemoryResult {
  readonly client: string
  readonly condition: Condition
  /** Commands, or channels. */
  readonly commands: number
  /** After everything that will be queued or subscribed is, garbage collected; not against a server that runs. */
  readonly queued: Growth | undefined
  /** How many commands the client had failed by itself when `queued` was measured. */
  readonly failedWhileQueued: number
  /** The most the process ever used over its idle state; absent when it did not finish. */
  readonly peakRss: number | undefined
  /** From the first command to the last answer or to the end of patience; a stall is part of it. */
  readonly milliseconds: number | undefined
  readonly settled: Settled | undefined
  /** Why figures are missing. */
  readonly problem: string | undefined
}

const limitMilliseconds = 45_000

/** Runs one child and gathers what it reports. */
export async function measureMemory(
  client: string,
  condition: Condition,
  commands: number,
  server: Server
): Promise<MemoryResult> {
  const child = fork(new URL("./memory-child.ts", import.meta.url), [
    client,
    String(server.address.port),
    String(commands),
    condition === "subscriptions" ? "channels" : "commands"
  ], { stdio: ["ignore", "ignore", "pipe", "ipc"], ...forkOnOtherCores("--max-old-space-size=8192") })
  let queued: Extract<Report, { state: "queued" }> | undefined
  let subscribed: Extract<Report, { state: "subscribed" }> | undefined
  let last: Extract<Report, { state: "settled" }> | undefined
  let complaint = ""
  child.stderr?.on("data", (data) => complaint += String(data))
  child.on("message", (message: Report) => {
    if (message.state === "ready") {
      void (condition === "stalled" ? server.stall() : Promise.resolve()).then(() => child.send("go"))
    } else if (message.state === "queued") {
      if (condition === "stalled") {
        queued = message
        void server.resume()
      }
    } else if (message.state === "subscribed") {
      subscribed = message
    } else {
      last = message
    }
  })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill("SIGKILL")
  }, limitMilliseconds)
  const killChild = (): void => void child.kill("SIGKILL")
  process.once("exit", killChild)
  const [code] = await once(child, "exit")
  clearTimeout(timer)
  process.off("exit", killChild)
  await server.resume()
  const problem = isLate
    ? `not finished after ${limitMilliseconds / 1000} s`
    : code === 0
    ? undefined
    : complaint.split("\n").find((line) => /error/i.test(line)) ?? `exit code ${code}`
  return {
    client,
    condition,
    commands,
    queued: (subscribed ?? queued)?.growth,
    failedWhileQueued: queued?.settled.failed ?? 0,
    peakRss: last?.peakRss,
    milliseconds: (subscribed ?? last)?.milliseconds,
    settled: last?.settled,
    problem
  }
}
