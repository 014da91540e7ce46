/**
 * A node of a cluster that lies about the others: what it names is not dialled
 * by the hundred, and the event loop goes on.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redis } from "@redfx/core"
import * as Client from "@redfx/testing/Client"
import * as FakeCluster from "@redfx/testing/FakeCluster"
import * as Encode from "@redfx/testing/RedisFakeReply"
import { inVirtualTime } from "@redfx/testing/VirtualTime"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import process from "node:process"

/** Takes connections at every address of the loopback interface, and never answers. */
const makeSink = Effect.acquireRelease(
  Effect.promise(async () => {
    const sockets = new Set<Net.Socket>()
    const seen = { total: 0, most: 0 }
    const server = Net.createServer((socket) => {
      sockets.add(socket)
      seen.total++
      seen.most = Math.max(seen.most, sockets.size)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve))
    return { server, sockets, seen, port: (server.address() as Net.AddressInfo).port }
  }),
  ({ server, sockets }) =>
    Effect.sync(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
)

const lying = (a: FakeCluster.Node, count: number, port: number): ReadonlyArray<FakeCluster.Range> => {
  const each = Math.floor(16384 / count)
  return Array.from({ length: count }, (_, i) => {
    const host = `127.1.${i >> 8}.${i & 255}`
    return {
      start: i * each,
      end: i === count - 1 ? 16383 : (i + 1) * each - 1,
      master: { ...a, host, port, address: `${host}:${port}` }
    }
  })
}

describe("A node that names too many others", () => {
  /** Asks a node that names so many others, which do not answer: the microseconds of a processor that the second after it takes. */
  const usedWith = Effect.fnUntraced(function*(count: number) {
    const { a, cluster } = yield* FakeCluster.make()
    const sink = yield* makeSink
    cluster.told = lying(a, count, sink.port)
    const before = process.cpuUsage()
    const { client } = yield* FakeCluster.client(cluster, {
      nodes: [{ host: a.host, port: a.port }],
      readFrom: "nearest",
      pool: { max: 20 },
      commandTimeout: "1 second",
      connectTimeout: "1 second"
    })
    yield* Effect.exit(client.execute(Redis.get("k")))
    yield* Effect.sleep("1 second")
    const { system, user } = process.cpuUsage(before)
    assert.isAbove(sink.seen.total, 0)
    assert.isAtMost(sink.seen.most, 20)
    return system + user
  }, Effect.scoped)

  it.live("has as many of them dialled as there may be connections, not hundreds", () =>
    Effect.gen(function*() {
      // What is compiled on the way is compiled once.
      yield* usedWith(20)
      const few = yield* usedWith(20)
      const many = yield* usedWith(500)
      // Measured: 5 times as much for 25 times as many. How fast the machine is, is in both.
      assert.isBelow(many, 14 * few)
    }))

  it.live("is not believed when it names thousands, while another tells the truth", () =>
    Effect.gen(function*() {
      const { a, b, c, cluster } = yield* FakeCluster.make()
      const sink = yield* makeSink
      const lies = lying(a, 3000, sink.port)
      a.instead = ({ name }) => name === "CLUSTER" ? FakeCluster.slots(lies) : undefined
      const nodes = [a, b, c].map(({ host, port }) => ({ host, port })) as [typeof a, ...Array<typeof a>]
      const { client } = yield* FakeCluster.client(cluster, { nodes })
      for (const [index, key] of FakeCluster.keys.entries()) {
        assert.strictEqual(yield* client.execute(Redis.get(key)), `${"ABC"[index]}:${key}`)
      }
      assert.strictEqual(sink.seen.total, 0)
    }).pipe(Effect.scoped))
})

describe("A node that redirects each command to another server", () => {
  for (const redirect of ["MOVED", "ASK"]) {
    inVirtualTime(`is followed to few of them: ${redirect}`, () =>
      Effect.gen(function*() {
        const { cluster } = yield* FakeCluster.make()
        let named = 0
        for (const node of cluster.nodes) {
          node.instead = ({ args, name }) =>
            name === "GET"
              ? Encode.error(`${redirect} ${FakeCluster.slotOf(args[1]!)} server-${named++}.invalid:7000`)
              : undefined
        }
        const dialled = new Set<string>()
        const accept = ({ host }: { readonly host: string }) => {
          dialled.add(host)
          return false
        }
        const { client } = yield* FakeCluster.client(cluster, { accept, commandTimeout: "2 seconds" })
        const gets = Array.from({ length: 500 }, (_, i) => Effect.flip(client.execute(Redis.get(`key:${i}`))))
        const errors = yield* Effect.all(gets, { concurrency: "unbounded" })
        for (const error of errors) {
          assert.include(["ConnectionError", "TimeoutError", "ClusterRetriesExhaustedError"], error._tag)
        }
        assert.isAbove(named, 100)
        assert.isAtMost(dialled.size, 64)
        for (const node of cluster.nodes) {
          node.instead = undefined
        }
        const again = yield* Client.outcomes(client, FakeCluster.keys.map((key) => Redis.get(key)))
        assert.deepStrictEqual(again.map((outcome) => outcome._tag), ["Success", "Success", "Success"])
      }))
  }
})
