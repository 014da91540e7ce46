/**
 * Sends commands to one server, or to several, that are meant for these servers and not for a slot.
 */
import { decorated } from "@redfx/core/RedisClient"
import type { RedisClient } from "@redfx/core/RedisClient"
import type * as RedisCommand from "@redfx/core/RedisCommand"
import type { CommandError, TransactionError } from "@redfx/core/RedisError"
import { isContinued } from "@redfx/core/unstable/Router"
import { errorIn } from "@redfx/core/unstable/Runtime"
import * as Effect from "effect/Effect"
import { fanOut } from "../multiKey/fanOut.ts"
import type { ClusterNode } from "../topology/cluster.ts"
import { runOn } from "../topology/nodes.ts"
import type { Node } from "../topology/nodes.ts"
import { inOneTime, tryWithTimeout } from "./commandTimeout.ts"
import type { Tries } from "./commandTimeout.ts"
import { judged, tryOnce } from "./retrying.ts"
import type { Retrying } from "./retrying.ts"
import { unspent } from "./verdictModel.ts"

/** A reply and the server that gave it. */
export interface Answer<A> {
  readonly address: string
  readonly reply: A
}

/**
 * Runs a command on one server, and again when the server is back, where that is safe. When the server was a master
 * that was replaced, the command runs on its successor, unless the successor is one of `asked` and so runs the command
 * already.
 */
export const onServer = <A>(
  retrying: Retrying,
  { address }: ClusterNode,
  command: RedisCommand.RedisCommand<A>,
  asked: ReadonlySet<string>
): Effect.Effect<Answer<A>, CommandError> =>
  tryWithTimeout(
    retrying,
    command,
    command.spec,
    ({ tried, waits }) =>
      untilRun(retrying, address, command, asked, {
        send: (node) => tried(node.address, Effect.suspend(() => runOn(node, retrying.clientOf(node), command))),
        waits
      })
  )

const untilRun = Effect.fnUntraced(function*<A>(
  retrying: Retrying,
  address: string,
  command: RedisCommand.Any,
  asked: ReadonlySet<string>,
  { send, waits }: { readonly send: (node: Node) => Effect.Effect<A, CommandError>; readonly waits: Tries["waits"] }
): Effect.fn.Return<Answer<A>, CommandError> {
  const { state } = retrying
  // The slots that the server has now say later which server has replaced it.
  const { topology } = state
  const way = state.isMaster(address) ? "master" : "node"
  let node = state.nodes.atAddress(address)
  let spent = unspent
  while (true) {
    // A replica that is down is tried all the same, because no other server replaces it.
    const avoided = way === "master" ? node.health.downWith : node.health.estranged
    const tried = yield* tryOnce(retrying, { way, command }, send(node), { node, avoided, spent, waits })
    if ("value" in tried) return { address: node.address, reply: tried.value }
    spent = tried.spent
    const slot = topology?.owners.findIndex((shard) => shard?.master === address) ?? -1
    // A cursor means nothing to another server.
    const owner = slot < 0 || tried.to !== "owner" || isContinued(command) ? undefined : state.routeOf(slot)?.master
    if (owner !== undefined && owner.address !== node.address && asked.has(owner.address)) {
      return yield* Effect.fail(tried.error)
    }
    // The node may have been given up and made again meanwhile.
    node = owner ?? state.nodes.at(node.endpoint)
  }
})

/** The client of one server. It learns from the outcomes of its commands, and sends nothing again. */
export const attentive = (retrying: Retrying, client: RedisClient["Service"], node: Node): RedisClient["Service"] => {
  const learn = (command: RedisCommand.Any, error: TransactionError) => {
    judged(retrying, { way: "node", command }, { error, node, spent: unspent })
  }
  return decorated(client, (client) => ({
    execute: (command) => Effect.tapError(client.execute(command), (error) => Effect.sync(() => learn(command, error))),
    pipeline: (commands) =>
      Effect.tap(client.pipeline(commands), (outcomes) =>
        Effect.sync(() =>
          outcomes.forEach((outcome, index) => {
            const error = errorIn(outcome)
            // There is one outcome for each command, so the index is in range.
            if (error !== undefined) learn(commands[index]!, error)
          })
        )),
    transaction: (commands) =>
      Effect.tapError(client.transaction(commands), (error) =>
        Effect.sync(() => {
          const [leading] = commands
          if (leading !== undefined) learn(leading, error)
        }))
  }))
}

/** The answers of servers to a command, by their addresses. */
export const perNode = <A>(
  retrying: Retrying,
  nodes: Effect.Effect<ReadonlyArray<ClusterNode>, CommandError>,
  command: RedisCommand.RedisCommand<A>
): Effect.Effect<ReadonlyMap<string, A>, CommandError> =>
  inOneTime(
    retrying,
    command,
    Effect.flatMap(nodes, (nodes) => {
      const refusal = nodes.length === 0 ? undefined : retrying.refusesWrite(command)
      const asked = new Set(nodes.map(({ address }) => address))
      return refusal !== undefined ? Effect.fail(refusal) : Effect.map(
        fanOut(nodes.map((node) => onServer(retrying, node, command, asked)), command.spec),
        (answers) => new Map(answers.map(({ address, reply }) => [address, reply]))
      )
    })
  )
