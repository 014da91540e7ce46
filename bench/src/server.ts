/** One real server for the run: its own process, a spare loopback port, no persistence. */
import type { ChildProcess } from "node:child_process"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { findRedisServer } from "../../scripts/redis-server.ts"
import type { Address } from "./session.ts"

/** A server of our own. */
export interface Server {
  readonly address: Address
  /** What the executable says about itself, such as `Redis server v=7.0.15`. */
  readonly version: string
  /** Stops the server's process from running (SIGSTOP): it accepts and answers nothing. */
  readonly stall: () => void
  readonly resume: () => void
  readonly stop: () => Promise<void>
}

async function sparePort(): Promise<number> {
  const listener = createServer()
  listener.listen(0, "127.0.0.1")
  await once(listener, "listening")
  const address = listener.address()
  listener.close()
  await once(listener, "close")
  if (address === null || typeof address === "string") throw new Error("No spare port found.")
  return address.port
}

function ping(address: Address): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(address, () => socket.write("PING\r\n"))
  socket.once("data", (data) => {
    socket.destroy()
    resolve(data.toString() === "+PONG\r\n")
  })
  socket.once("error", () => resolve(false))
  return promise
}

async function untilReady(child: ChildProcess, address: Address): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!await ping(address)) {
    if (child.exitCode !== null) throw new Error(`The server exited with code ${child.exitCode}.`)
    if (Date.now() > deadline) throw new Error("The server did not answer within 10 seconds.")
    await delay(20)
  }
}

/** Starts a server and waits until it answers. */
export async function startServer(): Promise<Server> {
  const executable = findRedisServer()
  const banner = spawnSync(executable, ["--version"], { encoding: "utf8" }).stdout
  const version = banner.split(" sha=")[0]?.trim() ?? banner.trim()
  const address: Address = { host: "127.0.0.1", port: await sparePort() }
  const directory = mkdtempSync(join(tmpdir(), "redfx-bench-"))
  const child = spawn(executable, [
    "--port",
    String(address.port),
    "--bind",
    address.host,
    "--dir",
    directory,
    "--save",
    "",
    "--appendonly",
    "no",
    // A client that sends a million GETs and reads nothing must not be cut off by the server.
    "--client-query-buffer-limit",
    "2gb"
  ], { stdio: "ignore" })
  const stopNow = (): void => {
    child.kill("SIGCONT")
    child.kill("SIGKILL")
  }
  process.once("exit", stopNow)
  await untilReady(child, address)
  return {
    address,
    version,
    stall: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    stop: async () => {
      process.off("exit", stopNow)
      const exited = once(child, "exit")
      stopNow()
      await exited
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
