/**
 * The prefix of all keys of a client: it is put before keys and patterns that are sent, and taken off keys that come
 * back.
 */
import * as RedisArg from "../../RedisArg.ts"
import type { Key } from "../../RedisArg.ts"
import * as Resp from "../../Resp.ts"
import { escapeGlob } from "../argument/glob.ts"
import { joined } from "../codec/memory.ts"
import { encodeUtf8, isBytes } from "../codec/utf8.ts"
import { mismatch } from "../reply/reply.ts"

export class Prefix {
  readonly text: string
  /** The prefix as a pattern that matches nothing else. */
  readonly glob: string
  readonly #bytes: Uint8Array
  readonly #globBytes: Uint8Array

  constructor(text: string) {
    this.text = text
    this.glob = escapeGlob(text)
    this.#bytes = encodeUtf8(text)
    this.#globBytes = encodeUtf8(this.glob)
  }

  /** Puts the prefix before a key. */
  before(key: Key): Key {
    return typeof key === "string" ? this.text + key : followedBy(this.#bytes, key)
  }

  /** A glob pattern that matches only keys with the prefix, and of those the keys that the given pattern matches. */
  beforePattern(pattern: Key): Key {
    return typeof pattern === "string" ? this.glob + pattern : followedBy(this.#globBytes, pattern)
  }

  /** Takes the prefix off a key; `undefined` when the key does not begin with it. */
  after(key: Key): Key | undefined {
    if (typeof key === "string") return key.startsWith(this.text) ? key.slice(this.text.length) : undefined
    return this.#bytes.every((byte, index) => key[index] === byte) ? key.slice(this.#bytes.length) : undefined
  }

  /** Takes the prefix off a key of a reply. Throws `Mismatch` when the key does not begin with it. */
  strip(key: Resp.Value): Resp.Value {
    const rest = key instanceof Resp.Bulk
      ? key.after(this.#bytes)
      : typeof key === "string"
      ? this.after(key)
      : undefined
    // The key was given as text, so `after` returned text.
    return rest === undefined ? mismatch("a key that begins with the client's prefix", key) : rest as string | Resp.Bulk
  }
}

const followedBy = (prefix: Uint8Array, key: Uint8Array): Uint8Array =>
  // Bytes whose buffer was given away are empty by now, so the key would be the prefix alone.
  isBytes(key) ? joined([prefix, key]) : RedisArg.invalid("cannot send bytes whose buffer is detached")
