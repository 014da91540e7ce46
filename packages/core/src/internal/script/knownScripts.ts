/**
 * Which scripts a server is known to have, as far as one connection has learned.
 *
 * A script is sent with its text until a result has come back: then the server
 * has it, and the digest does. It can lose it without a word, by SCRIPT FLUSH,
 * a restart behind a proxy, or because it keeps only so many; then it answers
 * NOSCRIPT. That means a lost script only where the digest was sent: in answer to
 * a text the script itself has made it up.
 */
import type * as RedisCommand from "../../RedisCommand.ts"
import * as Resp from "../../Resp.ts"

/** How a script was named to a server. */
export type Form = "text" | "digest"

/** The number of scripts that are remembered: a program that makes texts at run time must not fill the memory. */
const capacity = 1000

/** The answer of Redis, Valkey and Redict when they do not have a script. */
const missing = /^NOSCRIPT No matching script\.( Please use EVAL\.)?$/

/** The scripts that a server is known to have. */
export class KnownScripts {
  readonly #digests = new Set<string>()

  has({ sha1 }: RedisCommand.Script): boolean {
    return this.#digests.has(sha1)
  }

  /** Learns from a reply, and returns whether it says that the server does not have the script. */
  isMissing({ sha1 }: RedisCommand.Script, form: Form, value: Resp.Value): boolean {
    if (!(value instanceof Resp.ErrorReply)) {
      // Between MULTI and EXEC nothing has run yet, so QUEUED shows nothing.
      if (form === "text" && value !== "QUEUED") this.#add(sha1)
      return false
    }
    if (value.code !== "NOSCRIPT") return false
    this.#digests.delete(sha1)
    return form === "digest" && missing.test(value.line)
  }

  #add(sha1: string): void {
    if (this.#digests.size >= capacity) this.#digests.clear()
    this.#digests.add(sha1)
  }
}

/** How to name a script: by its digest where the server is known to have it. */
export const formOf = (script: RedisCommand.Script, known: KnownScripts | undefined): Form =>
  known?.has(script) === true ? "digest" : "text"
