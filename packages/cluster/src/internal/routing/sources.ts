/**
 * Decides in which order servers are asked for the topology: not every server knows at any time what the others know.
 */
import type { Node } from "../topology/nodes.ts"

export class Sources {
  /** The node whose reading was adopted last, and the number of readings that were. */
  #believed: Node | undefined = undefined
  #adopted = 0
  /** The node that is asked last, as its reading proved wrong or is not to be believed alone; the turn begins behind it. */
  #doubted: Node | undefined = undefined
  /** The node to ask first, because it has just learned something. */
  #informed: Node | undefined = undefined
  /**
   * The nodes whose reading a redirect has contradicted, or that know of no cluster that is up. They are asked after the
   * others.
   */
  readonly #contradicted = new Set<string>()
  /** The node that was last wrong about each slot, and the number of readings at that time. */
  readonly #redirected = new Map<number, { readonly address: string; readonly adopted: number }>()

  get believed(): Node | undefined {
    return this.#believed
  }

  /** These nodes, each once, in the order of asking: first those that take turns, and then the others. */
  inOrder(inTurn: ReadonlyArray<Node>, others: ReadonlyArray<Node>): ReadonlyArray<Node> {
    const turn = [...new Set(inTurn)]
    // It is at the beginning where nobody is doubted.
    const next = turn.findIndex(({ address }) => address === this.#doubted?.address) + 1
    const candidates = new Set([...turn.slice(next), ...turn.slice(0, next), ...others])
    const last = (isLast: (node: Node) => boolean) => {
      for (const node of Array.from(candidates).filter(isLast)) if (candidates.delete(node)) candidates.add(node)
    }
    last((node) => node === this.#doubted)
    last(({ address }) => this.#contradicted.has(address))
    last(({ health }) => !health.isHealthy)
    const informed = this.#informed === undefined ? [] : [this.#informed]
    return [...new Set([...informed, ...candidates])]
  }

  /** Takes the adoption of a node's reading, which names so many servers. */
  adopt(source: Node, servers: number): void {
    this.#adopted++
    this.#believed = source
    this.#doubted = undefined
    this.#informed = undefined
    for (const address of this.#contradicted) {
      // So many contradicted nodes can no longer be told from the others.
      if (this.#contradicted.size > servers) this.#contradicted.delete(address)
    }
  }

  /** Has a node asked after the others until a reading is adopted, and those first whose turn is after its own. */
  doubt(node: Node | undefined): void {
    this.#doubted = node
  }

  /** Has a node asked first until a reading is adopted. */
  inform(node: Node): void {
    this.#informed = node
  }

  /** Has a node asked after the others from now on. */
  contradict(address: string): void {
    this.#contradicted.add(address)
  }

  /** Whether nothing has contradicted a node. */
  trusts(address: string): boolean {
    return !this.#contradicted.has(address)
  }

  /**
   * Takes a redirect that contradicts the node that was believed. Slots move, but a node that does not know the new
   * master at all, or repeats itself, has not heard of the change: others are asked first from now on.
   */
  redirected(slot: number, isMasterKnown: boolean): void {
    if (this.#believed === undefined) return
    const { address } = this.#believed
    const before = this.#redirected.get(slot)
    const repeats = before !== undefined && before.adopted !== this.#adopted && before.address === address
    if (!isMasterKnown || repeats) this.contradict(address)
    this.#redirected.set(slot, { address, adopted: this.#adopted })
  }
}
