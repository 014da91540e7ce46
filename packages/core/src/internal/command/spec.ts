/**
 * The static facts of a command.
 */
import { encodeUtf8 } from "../codec/utf8.ts"
import { callsOfCode } from "./byName.ts"

/**
 * The facts of a command that do not depend on its arguments.
 *
 * - `readonly`: changes nothing on the server, so repeating it does no harm: it reads keys, or asks the server about itself.
 *   Replicas may answer those that have a key.
 * - `cacheable`: `readonly`, and the answer depends on nothing but the values of its keys: not on chance, on the time, on
 *   how long a key still lives, or on a cursor. The server tells when it is no longer true.
 * - `blocking`: the server may hold back the answer; runs on a connection of its own, unless a `BlockArg` among its
 *   arguments says that this one does not wait.
 * - `ordered`: goes over one of several shared connections, always the same for the same first key and for no key, so that
 *   the server runs them in the order in which they were given.
 * - `stateful`: changes the state of its connection (SELECT, MULTI, SUBSCRIBE …); refused on shared connections.
 * - `dependent`: its answer is about what its connection sent before (WAIT); alone it is refused on shared connections,
 *   where it is not known what that was.
 * - `closing`: the server answers by closing the connection (SHUTDOWN), which is success; decoded as a nil reply.
 * - `code`: runs code of its caller's, which can make up any error after it has written something (EVAL, EVALSHA and FCALL
 *   have it by their names).
 *
 * @category models
 * @since 0.1.0
 */
export type Trait = "readonly" | "cacheable" | "blocking" | "ordered" | "stateful" | "dependent" | "closing" | "code"

/**
 * A script that a command names by its digest, its first argument.
 *
 * - `name`: what spans call it. `withText`: the facts of the command that carries the text instead of the digest.
 *
 * @category models
 * @since 0.1.0
 */
export interface Script {
  readonly sha1: string
  readonly lua: string
  readonly name: string
  readonly withText: Spec
}

/**
 * The static facts of a command.
 *
 * @category models
 * @since 0.1.0
 */
export class Spec {
  /** The name as servers know it, such as `GET` or `CLIENT SETNAME`. */
  readonly name: string
  /** The name in capitals, as lists of commands have it: in `send` it may stand in small letters. */
  readonly capitals: string
  /** The name for spans and metrics; `_OTHER` for a command of `send` that has no definition. */
  readonly operation: string
  readonly words: ReadonlyArray<string>
  readonly traits: ReadonlySet<Trait>
  readonly readonly: boolean
  /** Whether the answer depends on nothing but the values of its keys. */
  readonly cacheable: boolean
  /** Whether the command is ordinary: neither blocking nor stateful nor dependent. */
  readonly ordinary: boolean
  /** Whether an error reply leaves open what the command has written before. */
  readonly runsCode: boolean
  /** The script that the command names by its digest; `undefined` for all other commands. */
  readonly script: Script | undefined
  /** The script or function that a command of this kind runs; `undefined` when it runs none. */
  readonly procedure: string | undefined
  readonly #heads: Array<Uint8Array | undefined> = []
  #uncached: Spec | undefined = undefined

  constructor(name: string, traits: ReadonlyArray<Trait>, script?: Script, operation = name) {
    this.name = name
    this.capitals = name.toUpperCase()
    this.operation = operation
    this.words = name.split(" ")
    this.traits = new Set(traits.includes("cacheable") ? ["readonly", ...traits] : traits)
    this.cacheable = this.traits.has("cacheable")
    this.runsCode = !this.traits.has("readonly") && (this.traits.has("code") || callsOfCode.has(this.capitals))
    this.readonly = this.traits.has("readonly")
    this.script = script
    this.procedure = script?.name
    this.ordinary = !this.traits.has("blocking") && !this.traits.has("stateful") && !this.traits.has("dependent")
  }

  /** `*count` and the name, as bytes, which are made once for each number of arguments. */
  head(count: number): Uint8Array {
    return this.#heads[count] ?? this.#headOf(count)
  }

  #headOf(count: number): Uint8Array {
    const bulks = this.words.map((word) => `$${encodeUtf8(word).length}\r\n${word}\r\n`)
    const head = encodeUtf8(`*${this.words.length + count}\r\n${bulks.join("")}`)
    // A command over a million keys should not leave a million-element array behind.
    if (count < 32) this.#heads[count] = head
    return head
  }

  /** The facts of the same command without those by which its answer could be kept. */
  get uncached(): Spec {
    if (!this.cacheable) return this
    const traits = [...this.traits].filter((trait) => trait !== "cacheable")
    return this.#uncached ??= new Spec(this.name, traits, this.script, this.operation)
  }

  /** What the caller has called: that script or function, else the command itself. */
  get called(): string {
    return this.procedure ?? this.name
  }
}
