/**
 * The words of a command, read from left to right.
 */
import { assert } from "@effect/vitest"

/** A word as it was sent: text, or bytes that are no UTF-8. */
export type Word = string | Uint8Array

/** Reads an option after its token. */
type Reader = (words: Words) => object

export class Words {
  readonly #words: ReadonlyArray<Word>
  #next = 0

  constructor(words: ReadonlyArray<Word>) {
    this.#words = words
  }

  get isDone(): boolean {
    return this.#next >= this.#words.length
  }

  /** The next word, which stays. */
  get peek(): Word | undefined {
    return this.#words[this.#next]
  }

  value(): Word {
    const word = this.#words[this.#next]
    assert.isDefined(word, "another word")
    this.#next += 1
    return word
  }

  text(): string {
    const word = this.value()
    assert.isString(word)
    // Just seen.
    return word as string
  }

  /** A number; a bigint where a number would be rounded. */
  integer(): number | bigint {
    const word = this.text()
    const number = Number(word)
    return Number.isSafeInteger(number) ? number : BigInt(word)
  }

  number(): number {
    const number = numberOf(this.text())
    assert.isDefined(number)
    return number
  }

  /** A word of the server in small letters, as one of the choices of an option: the type is what the option has. */
  choice<A extends string>(): A {
    return this.text().toLowerCase() as A
  }

  /** Takes the next word if it is this one. */
  took(token: string): boolean {
    if (this.peek !== token) return false
    this.#next += 1
    return true
  }

  /** As many words as the next one says. */
  counted(): ReadonlyArray<Word> {
    return this.several(this.number())
  }

  countedTexts(): ReadonlyArray<string> {
    return Array.from({ length: this.number() }, () => this.text())
  }

  several(count: number): ReadonlyArray<Word> {
    return Array.from({ length: count }, () => this.value())
  }

  /** All words up to one of these. */
  until(...tokens: ReadonlyArray<string>): ReadonlyArray<string> {
    const found: Array<string> = []
    while (!this.isDone && !tokens.includes(String(this.peek))) found.push(this.text())
    return found
  }

  rest(): ReadonlyArray<Word> {
    return this.several(this.#words.length - this.#next)
  }

  restTexts(): ReadonlyArray<string> {
    return this.until()
  }

  /** Options in any order, up to a word that is the token of none. */
  options<A extends object>(readers: Readonly<Record<string, Reader>>): A {
    let found: object = {}
    for (;;) {
      const reader = typeof this.peek === "string" ? readers[this.peek] : undefined
      if (reader === undefined) break
      this.#next += 1
      found = { ...found, ...reader(this) }
    }
    // Each reader sets its own option.
    return found as A
  }

  /** Pairs of two words each. */
  pairs<A, B>(first: (words: Words) => A, second: (words: Words) => B): ReadonlyArray<readonly [A, B]> {
    const found: Array<readonly [A, B]> = []
    while (!this.isDone) found.push([first(this), second(this)])
    return found
  }
}

/** The number that a word is the text of; `undefined` for any other word. */
export const numberOf = (word: string): number | undefined => {
  if (word === "inf") return Infinity
  if (word === "-inf") return -Infinity
  if (word === "NaN") return NaN
  return word === "" || Number.isNaN(Number(word)) ? undefined : Number(word)
}
