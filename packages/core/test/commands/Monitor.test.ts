import { assert, describe, it } from "@effect/vitest"
import { RedisReply } from "@redfx/core"
import { monitorEvent } from "@redfx/core/commands/replies/MonitorEvent"

const read = (line: string) => monitorEvent.decode(line, RedisReply.textView)

describe("Monitor events", () => {
  it("REC-14: reads a command with its time, database and client", () => {
    assert.deepStrictEqual(read("1795260137.168148 [3 127.0.0.1:52326] \"SET\" \"k\" \"v w\""), {
      time: 1795260137.168148,
      db: 3,
      clientType: "tcp",
      clientAddress: "127.0.0.1",
      clientPort: 52326,
      command: "SET k v w",
      args: ["SET", "k", "v w"]
    })
  })

  it("REC-14: takes escapes away, those of bytes as well", () => {
    const { args } = read(String.raw`1.5 [0 127.0.0.1:1] "SET" "a\"b" "x\\y\n\x01\xc3\xa9" "" "] \"c\""`)
    assert.deepStrictEqual(args, ["SET", "a\"b", "x\\y\n\u0001é", "", "] \"c\""])
  })

  it("REC-14: shows what is not UTF-8 as the server does, so that no two keys look alike", () => {
    const { args, command } = read(String.raw`1.5 [9 127.0.0.1:1] "GET" "foo\x92" "\xc3\"\n"`)
    assert.deepStrictEqual(args, ["GET", String.raw`foo\x92`, String.raw`\xc3\"\n`])
    assert.strictEqual(command, String.raw`GET foo\x92 \xc3\"\n`)
  })

  it("REC-14: keeps a byte order mark, which is data here", () => {
    const { args, command } = read(String.raw`1.5 [0 127.0.0.1:1] "SET" "\xef\xbb\xbfk"`)
    assert.deepStrictEqual([command, args], ["SET \ufeffk", ["SET", "\ufeffk"]])
  })

  it("REC-14: splits an address of IPv6 from its port at the last colon", () => {
    const { clientAddress, clientPort } = read("1.5 [0 [::1]:52326] \"PING\"")
    assert.deepStrictEqual([clientAddress, clientPort], ["::1", 52326])
    assert.strictEqual(read("1.5 [0 fe80::1:52326] \"PING\"").clientAddress, "fe80::1")
  })

  it("REC-14: tells unix sockets and scripts apart", () => {
    const unix = read("1.5 [0 unix:/tmp/redis.sock] \"PING\"")
    assert.deepStrictEqual([unix.clientType, unix.clientAddress, unix.clientPort], [
      "unix",
      "/tmp/redis.sock",
      undefined
    ])
    const lua = read("1.5 [0 lua] \"get\" \"k\"")
    assert.deepStrictEqual([lua.clientType, lua.clientAddress, lua.args], ["lua", undefined, ["get", "k"]])
  })

  it("REC-14: refuses what is no line of MONITOR", () => {
    assert.throws(() => read("OK"))
  })
})
