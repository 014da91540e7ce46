/**
 * The attempts to open a connection, in words: a request that runs out of time while it waits for one is told by them why
 * there is none.
 */
import type { CommandError, TimeoutError } from "../../RedisError.ts"
import { RequestQueue } from "../connection/request.ts"
import { timeLimit } from "../error/events.ts"
import { attempted } from "../error/fields.ts"

/** The time of the client's clock, in milliseconds of which only differences mean anything. */
type Now = () => number

export class Attempts {
  readonly #now: Now
  readonly #address: string
  #begun: { readonly at: number; address: string; waitsFor: string | undefined } | undefined = undefined
  #failure: CommandError | undefined = undefined
  #checked: string | undefined = undefined

  /** `address`: what the server is called before an attempt has one. */
  constructor(address: string, now: Now) {
    this.#address = address
    this.#now = now
  }

  /** An attempt begins. */
  begin(): void {
    this.#checked = undefined
    this.#begun = { at: this.#now(), address: this.#address, waitsFor: undefined }
  }

  /** The attempt waits for something else than before. */
  readonly progress = (waitsFor: string, address: string): void => {
    if (this.#begun !== undefined) Object.assign(this.#begun, { waitsFor, address })
  }

  /** The attempt failed, or what it opened was of no use. */
  fail(error: CommandError): void {
    this.#begun = undefined
    this.#failure = error
  }

  /** There is a connection. */
  succeed(): void {
    this.#begun = undefined
    this.#failure = undefined
    this.#checked = undefined
  }

  /** There is a connection to this address, which is being checked. */
  check(address: string): void {
    this.#checked = address
  }

  /** The error of a request whose time passes while it waits. */
  late(limit: number): TimeoutError {
    return this.#checked === undefined
      ? timeLimit("write", limit, this.#begun?.address ?? this.#address, this.#detail)
      : lateCheck(limit, this.#checked)
  }

  get #detail(): string {
    const failed = this.#failure === undefined ? "" : failureText(this.#failure)
    if (this.#begun === undefined) {
      return `no connection was open${failed === "" ? "" : `; the last attempt failed: ${failed}`}`
    }
    const { at, waitsFor } = this.#begun
    const so = waitsFor === undefined ? "" : `: ${waitsFor}`
    return `no connection could be opened in ${Math.round(this.#now() - at)} ms${so}${
      failed === "" ? "" : `; the attempt before that failed: ${failed}`
    }`
  }
}

/** The error of a request whose time passes while the connection to an address is being checked for it. */
export const lateCheck = (limit: number, address: string): TimeoutError =>
  timeLimit("write", limit, address, "the connection was unused for long, and a PING that checks it has no answer yet")

/** The reason that an error gives, without the command that failed with it. */
export const failureText = (error: CommandError): string =>
  error._tag === "TimeoutError"
    ? `its limit of ${error.milliseconds} ms passed${error.detail === undefined ? "" : `; ${error.detail}`}`
    : "detail" in error && typeof error.detail === "string"
    ? error.detail
    : error._tag === "MasterNotFoundError" || error._tag === "ReplicaNotFoundError"
    ? `no ${error._tag === "MasterNotFoundError" ? "master" : "replica"} was found${attempted(error.attempts)}`
    : error._tag

/**
 * The wait for a connection, for whoever limits it.
 *
 * - `late`: the error of a wait that took too long; `undefined` when nothing is known of what it was for.
 */
export interface Wait {
  late: ((limit: number) => TimeoutError | undefined) | undefined
}

/** The requests that wait for a connection. */
export class Waiting extends RequestQueue {
  readonly #attempts: Attempts

  constructor(attempts: Attempts) {
    super()
    this.#attempts = attempts
  }

  override late(limit: number): TimeoutError {
    return this.#attempts.late(limit)
  }
}
