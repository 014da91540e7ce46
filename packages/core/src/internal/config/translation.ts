/**
 * Translates the addresses that servers name, and takes a translation of a program, the option `natMap`, for what it is: it may throw, and
 * may return anything.
 */
import * as Result from "effect/Result"
import { formatEndpoint } from "../../RedisConnector.ts"
import { connectionLoss } from "../../RedisError.ts"
import type { ConnectionError } from "../../RedisError.ts"
import { isHost, isPort } from "./checks.ts"
import type { NodeAddress } from "./options.ts"

/** The address that an address from a server stands for, or why there is none. */
export type Translation = (address: NodeAddress) => Result.Result<NodeAddress, ConnectionError>

export const checkedTranslation = (translate: (address: NodeAddress) => NodeAddress): Translation => (address) => {
  const failed = (what: string, cause?: unknown) =>
    Result.fail(
      connectionLoss("Other", `The program's natMap failed for ${formatEndpoint(address)}${what}`, undefined, cause)
    )
  try {
    const { host, port } = translate(address)
    return typeof host === "string" && host !== "" && host !== "?" && isHost(host) && isPort(port)
      ? Result.succeed({ host, port })
      : failed(`: it returned the host ${String(host)} and the port ${String(port)}`)
  } catch (defect) {
    return failed("", defect)
  }
}
