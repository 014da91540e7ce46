/**
 * Records the bytes that a real server answers, for the tests of the decoder.
 *
 *     node scripts/regenerate-goldens.ts [path of redis-server]
 *
 * Starts a server of its own on a spare loopback port, runs every command over
 * RESP2 and over RESP3 on fresh connections, and writes
 * `packages/core/test/fixtures/goldens.json`: `name`, `protocol`, and `bytes`
 * with one character per byte (latin1).
 *
 * Recorded with Redis 7.0. These differ from run to run: `client info` (ports,
 * memory), `time`, `hello` (the id). With another version of the server also
 * `hello`, `command info`, `stream info`, `acl` and the wording of errors.
 *
 * A reply counts as complete when the answer to a following `ECHO` arrives.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Each entry: a name, then the commands whose replies are recorded together, their words separated by spaces, in quotes those that have some in them. */
const recordings: ReadonlyArray<readonly [name: string, ...commands: ReadonlyArray<string>]> = [
  ["simple string", "PING"],
  ["OK", "SET text hello"],
  ["bulk", "GET text"],
  ["bulk of UTF-8", "SET utf8 é€😀", "GET utf8"],
  ["empty bulk", "ECHO ''"],
  ["null", "GET missing"],
  ["null array", "BLPOP missing 0.01"],
  ["integer", "INCR counter"],
  ["negative integer", "DECRBY counter 10"],
  ["largest integer", "SET largest 9223372036854775806", "INCR largest"],
  ["smallest integer", "SET smallest -9223372036854775807", "DECR smallest"],
  ["status with ttl", "TTL missing"],
  ["error", "GET"],
  ["wrong type", "LPUSH text x"],
  ["unknown command", "NONSENSE é"],
  ["empty array", "LRANGE missing 0 -1"],
  ["array", "RPUSH list a bb ccc", "LRANGE list 0 -1"],
  ["array with nulls", "MGET text missing utf8"],
  ["large array", "EVAL 'local r={};for i=1,200 do r[i]=string.rep(tostring(i),i%20) end;return r' 0"],
  ["array of integers", "EVAL 'return {1,2,{3,4,{5}},{}}' 0"],
  ["map", "HSET hash field value number 1", "HGETALL hash"],
  ["empty map", "HGETALL missing"],
  ["set", "SADD members one", "SMEMBERS members"],
  ["empty set", "SMEMBERS missing"],
  ["double", "ZADD scores 1.5 a", "ZSCORE scores a"],
  ["doubles", "ZADD scores 1e300 b -inf c inf d 0.1 e 3 f", "ZRANGE scores 0 -1 WITHSCORES"],
  ["double increment", "ZINCRBY scores 2.25 a"],
  ["float text", "INCRBYFLOAT float 10.5"],
  ["geo", "GEOADD geo 13.361389 38.115556 Palermo", "GEOPOS geo Palermo missing"],
  ["stream entries", "XADD stream 1-1 f v g w", "XADD stream 1-2 f v", "XRANGE stream - +"],
  ["stream read", "XREAD STREAMS stream 0"],
  ["stream info", "XINFO STREAM stream"],
  ["scan", "SSCAN members 0"],
  ["config map", "CONFIG GET maxmemory-policy"],
  ["command info", "COMMAND INFO get nonsense"],
  ["object encoding", "OBJECT ENCODING list"],
  ["binary", "EVAL 'return \"\\r\\n\\0\\255\"' 0"],
  ["status from script", "EVAL 'return redis.status_reply(\"FINE\")' 0"],
  ["error from script", "EVAL 'return redis.error_reply(\"MY problem\")' 0"],
  ["script types", "EVAL 'redis.setresp(3);return {map={a=1},double=1.5}' 0"],
  ["script map", "EVAL 'redis.setresp(3);return {map={a=1}}' 0"],
  ["script set", "EVAL 'redis.setresp(3);return {set={a=true}}' 0"],
  ["script boolean", "EVAL 'redis.setresp(3);return {true,false}' 0"],
  ["script big number", "EVAL 'return {big_number=\"1234567890123456789012345678901234567890\"}' 0"],
  ["script verbatim", "EVAL 'return {verbatim_string={format=\"mkd\",string=\"#x\"}}' 0"],
  ["nan", "EVAL 'return {double=0/0}' 0"],
  ["transaction", "MULTI", "SET a 1", "LPUSH text x", "HGETALL hash", "EXEC"],
  ["aborted transaction", "MULTI", "NONSENSE", "EXEC"],
  ["debug protocol attributes", "DEBUG PROTOCOL attrib"],
  ["debug protocol push", "DEBUG PROTOCOL push"],
  ["debug protocol bignum", "DEBUG PROTOCOL bignum"],
  ["debug protocol true", "DEBUG PROTOCOL true"],
  ["debug protocol verbatim", "DEBUG PROTOCOL verbatim"],
  ["debug protocol null", "DEBUG PROTOCOL null"],
  ["debug protocol map", "DEBUG PROTOCOL map"],
  ["debug protocol set", "DEBUG PROTOCOL set"],
  ["debug protocol double", "DEBUG PROTOCOL double"],
  ["latency doctor", "LATENCY DOCTOR"],
  ["info", "INFO cluster"],
  ["client info", "CLIENT INFO"],
  ["time", "TIME"],
  ["acl", "ACL GETUSER default"],
  ["tracking invalidation", "CLIENT TRACKING ON NOLOOP", "CLIENT TRACKING OFF"],
  ["subscribe", "SUBSCRIBE news other"],
  ["unsubscribe", "UNSUBSCRIBE news other"]
]

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const open = async (port: number): Promise<Socket> => {
  for (let attempt = 0;; attempt++) {
    try {
      return await new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => resolve(socket)).on("error", reject)
      })
    } catch (cause) {
      if (attempt > 100) throw cause
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** The words of a command, without the quotes of those that have spaces, or nothing, in them. */
const words = (command: string): Array<string> =>
  (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/s, "$1"))

const encode = (command: ReadonlyArray<string>): string =>
  `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`

const marker = "<end of the recording>"

/** Sends the commands and returns everything up to the answer to a following `ECHO`. */
const record = (socket: Socket, commands: ReadonlyArray<string>): Promise<Buffer> =>
  new Promise((resolve) => {
    const tail = `$${marker.length}\r\n${marker}\r\n`
    let received = Buffer.alloc(0)
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (!received.subarray(-tail.length).equals(Buffer.from(tail))) return
      // Paused, so that what arrives between two recordings waits for the next one.
      socket.off("data", onData).pause()
      resolve(received.subarray(0, -tail.length))
    }
    socket.on("data", onData).resume()
    socket.write([...commands.map((command) => encode(words(command))), encode(["ECHO", marker])].join(""))
  })

const main = async () => {
  const directory = mkdtempSync(join(tmpdir(), "redfx-goldens-"))
  const port = await freePort()
  const server = spawn(process.argv[2] ?? "redis-server", [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    directory,
    "--enable-debug-command",
    "yes"
  ], { stdio: "ignore" })
  try {
    const goldens: Array<{ name: string; protocol: 2 | 3; bytes: string }> = []
    for (const protocol of [2, 3] as const) {
      const socket = await open(port)
      await record(socket, ["FLUSHALL"])
      const add = (name: string, bytes: Buffer) => goldens.push({ name, protocol, bytes: bytes.toString("latin1") })
      add("hello", await record(socket, [`HELLO ${protocol}`]))
      for (const [name, ...commands] of recordings) {
        // RESP2 has one mode for subscribers, in which there is no ECHO.
        if (protocol === 2 && /subscribe|tracking|^debug protocol (push|attributes)/.test(name)) continue
        add(name, await record(socket, commands))
      }
      if (protocol === 3) {
        const other = await open(port)
        await record(socket, ["CLIENT TRACKING ON BCAST", "SUBSCRIBE news"])
        await record(other, ["SET tracked 1", "PUBLISH news hello"])
        add("invalidation and message", await record(socket, ["PING"]))
        other.destroy()
      }
      socket.destroy()
    }
    const path = join(import.meta.dirname, "../packages/core/test/fixtures/goldens.json")
    writeFileSync(path, `${JSON.stringify(goldens, undefined, 2)}\n`)
  } finally {
    server.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

await main()
