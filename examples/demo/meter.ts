/** The live meter: writes a second, who is master, since when, and errors by tag. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { styleText } from "node:util"
import { recoveryOf, seconds } from "./outages.ts"
import type { View } from "./outages.ts"
import type { Screen } from "./screen.ts"
import type { Book } from "./writers.ts"

/** How often it looks, in milliseconds, how many looks the curve shows, and over how many the rate is taken. */
const interval = 250
const shown = 24
const averaged = 4

const steps = "▁▂▃▄▅▆▇█"

export const whole = (value: number): string => Math.round(value).toLocaleString("en-US")

/** Where the demo is seen. */
export interface Stage {
  readonly screen: Screen
  readonly paint: Paint
}

type Paint = (style: "bold" | "dim" | "red" | "green", text: string) => string

/** Colours only where they are wanted; nothing is said by a colour alone. */
export const paintOf = (isColoured: boolean): Paint => (style, text) =>
  isColoured ? styleText(style, text, { validateStream: false }) : text

const curve = (rates: ReadonlyArray<number>): string => {
  const most = Math.max(1, ...rates)
  const last = rates.slice(-shown)
  return last.map((rate) => steps[Math.min(steps.length - 1, Math.floor(rate / most * steps.length))]).join("")
    .padStart(shown)
}

/** Writes a second of each look so far. */
class Rates {
  readonly all: Array<number> = []
  private readonly book: Book
  private count = 0
  private time = performance.now()

  constructor(book: Book) {
    this.book = book
  }

  look(): void {
    const now = performance.now()
    this.all.push((this.book.acknowledged - this.count) / (now - this.time) * 1000)
    this.count = this.book.acknowledged
    this.time = now
  }

  get now(): number {
    const last = this.all.slice(-averaged)
    return last.reduce((sum, rate) => sum + rate, 0) / Math.max(1, last.length)
  }
}

const headOf = ({ master, outage, site }: View, paint: Paint): string => {
  const name = paint("bold", site.title.padEnd(12))
  return master !== undefined
    ? `${name}master :${master.port}`
    : `${name}${paint("red", `no master for ${seconds(performance.now() - (outage?.at ?? 0))}`)}`
}

const errorsOf = ({ errors, unknown }: Book): string =>
  errors.size === 0
    ? "no errors"
    : `${[...errors].map(([tag, count]) => `${tag} ${whole(count)}`).join(", ")}; outcome unknown: ${whole(unknown)}`

const linesOf = (view: View, rates: ReadonlyMap<Book, Rates>, paint: Paint): ReadonlyArray<string> => [
  headOf(view, paint),
  ...view.books.flatMap((book) => {
    const of = rates.get(book)
    const recovery = view.outage && recoveryOf(view.outage, book.client)
    const rate = `${whole(of?.now ?? 0)}/s`.padStart(9)
    const state = view.outage === undefined
      ? ""
      : recovery === undefined
      ? paint("red", "down")
      : paint("green", recovery)
    return [
      `  ${book.client.padEnd(10)}${rate} ${curve(of?.all ?? [])} ${state}`,
      `  ${" ".repeat(10)}${paint("dim", errorsOf(book))}`
    ]
  })
]

const plainLine = (views: ReadonlyArray<View>, rates: ReadonlyMap<Book, Rates>): string =>
  views.map(({ books, site }) =>
    `${site.title} ${books.map((book) => `${whole(rates.get(book)?.now ?? 0)}/s`).join(" ")}`
  ).join("   ")

/**
 * Looks, and shows what it sees: drawn, or as a line a second. Returns an effect that ends it, and leaves standing what it has
 * seen last.
 */
export const meter = Effect.fnUntraced(function*(
  views: ReadonlyArray<View>,
  { paint, screen }: Stage
): Effect.fn.Return<Effect.Effect<void>, never, Scope.Scope> {
  const rates = new Map(views.flatMap(({ books }) => books.map((book) => [book, new Rates(book)] as const)))
  const lines = () => ["", ...views.flatMap((view) => linesOf(view, rates, paint))]
  const watching = yield* Effect.forkScoped(watch(views, rates, lines, screen))
  return Fiber.interrupt(watching).pipe(
    Effect.andThen(screen.draw([])),
    Effect.andThen(Effect.suspend(() => screen.log(lines().join("\n"))))
  )
})

const watch = Effect.fnUntraced(function*(
  views: ReadonlyArray<View>,
  rates: ReadonlyMap<Book, Rates>,
  lines: () => ReadonlyArray<string>,
  screen: Screen
) {
  if (!screen.isLive) yield* screen.log(`Writes a second of ${views[0]?.books.map(({ client }) => client).join(", ")}:`)
  for (let looks = 1;; looks++) {
    yield* Effect.sleep(interval)
    for (const each of rates.values()) each.look()
    yield* screen.draw(lines())
    if (!screen.isLive && looks % averaged === 0) yield* screen.log(plainLine(views, rates))
  }
})
