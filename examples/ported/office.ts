/** What the office for tickets does, and a day of its work. It is the same with either client. */

export interface Server {
  readonly mode: "standalone" | "cluster"
  readonly host: string
  readonly port: number
}

export interface Session {
  readonly user: string
  readonly cart: ReadonlyArray<string>
}

export interface Office {
  readonly login: (user: string) => Promise<string>
  readonly session: (id: string) => Promise<Session | undefined>
  readonly logoutEverywhere: (user: string) => Promise<number>
  readonly openSessions: () => Promise<ReadonlyArray<string>>
  readonly allowed: (address: string) => Promise<boolean>
  readonly page: (path: string, render: () => Promise<string>) => Promise<string>
  readonly forget: (paths: ReadonlyArray<string>) => Promise<number>
  readonly poster: (id: string, picture?: Uint8Array) => Promise<Uint8Array | undefined>
  readonly createEvent: (id: string, price: number, seats: number) => Promise<void>
  readonly event: (id: string) => Promise<{ readonly price: number; readonly seats: number } | undefined>
  readonly hold: (id: string, seat: string, user: string) => Promise<boolean>
  readonly heldSeats: (id: string) => Promise<ReadonlyArray<readonly [seat: string, until: number]>>
  readonly overview: (id: string) => Promise<{ readonly rank: number | undefined; readonly of: number }>
  readonly newest: (count: number) => Promise<ReadonlyArray<string>>
  readonly deposit: (user: string, amount: number) => Promise<number | "not a wallet">
  readonly pay: (user: string, amount: number) => Promise<number>
  readonly sendTicket: (to: string) => Promise<number>
  readonly mailer: (send: (to: string) => Promise<void>) => Promise<void>
  readonly recoverMails: () => Promise<number>
  readonly audit: (what: string, fields: Readonly<Record<string, string | number>>) => Promise<unknown>
  readonly readAudit: (reader: string, count: number) => Promise<ReadonlyArray<Readonly<Record<string, string>>>>
  readonly onSold: (id: string, listener: (seat: string) => void) => Promise<() => void>
  readonly announceSold: (id: string, seat: string) => Promise<number>
  readonly ready: () => Promise<boolean>
  readonly close: () => Promise<void>
}

/** A day at the office: what each step of it came to. */
export const day = async (office: Office): Promise<ReadonlyArray<readonly [step: string, result: unknown]>> => {
  const steps: Array<readonly [string, unknown]> = []
  const note = (step: string, result: unknown) => steps.push([step, result])

  await office.createEvent("rock", 40, 100)
  await office.createEvent("jazz", 25, 50)
  note("an event", await office.event("rock"))
  note("no event", await office.event("none"))
  note("newest", await office.newest(1))
  note("overview", await office.overview("jazz"))

  const session = await office.login("ada")
  await office.login("ada")
  note("a session", await office.session(session))
  note("no session", await office.session("none"))
  note("open sessions", (await office.openSessions()).length)
  note("logged out", await office.logoutEverywhere("ada"))
  note("open sessions", await office.openSessions())

  const knocks: Array<boolean> = []
  for (let i = 0; i < 4; i++) knocks.push(await office.allowed("10.0.0.1"))
  note("three are allowed", knocks)
  note("rendered", await office.page("/rock", async () => "made"))
  note("cached", await office.page("/rock", async () => "made again"))
  await office.page("/jazz", async () => "made")
  note("forgotten", await office.forget(["/rock", "/jazz", "/folk"]))
  note("a poster", [...await office.poster("rock", new Uint8Array([1, 2, 255])) ?? []])
  note("no poster", await office.poster("jazz"))

  note("held", [await office.hold("rock", "A1", "ada"), await office.hold("rock", "A1", "bob")])
  note("seats", (await office.heldSeats("rock")).map(([seat, until]) => [seat, until > 0]))
  note("deposit", await office.deposit("ada", 100))
  const paid = await Promise.all(Array.from({ length: 5 }, () => office.pay("ada", 10)))
  note("paid at the same time", paid.toSorted((a, b) => a - b))
  note("too poor", await office.pay("bob", 10).catch((error: unknown) => String(error)))
  note("no number", await office.deposit("broken", 1))

  note("orders", await afternoon(office))
  note("audit", await office.readAudit("reader-1", 10))
  note("nothing new", await office.readAudit("reader-1", 10))
  note("left in the queue", await office.recoverMails())
  note("ready", await office.ready())
  await office.close()
  return steps
}

/** Mails, a trail of what is done, and news for those who listen. */
const afternoon = async (office: Office): Promise<unknown> => {
  const mails: Array<string> = []
  const sent = Promise.withResolvers<void>()
  void office.mailer(async (to) => {
    if (mails.push(to) === 2) sent.resolve()
  })
  await office.sendTicket("ada")
  await office.sendTicket("bob")
  await sent.promise

  await office.audit("login", { user: "ada", attempt: 1 })
  await office.audit("pay", { user: "ada" })

  const heard = Promise.withResolvers<string>()
  const other = Promise.withResolvers<string>()
  const stop = await office.onSold("rock", heard.resolve)
  await office.onSold("jazz", other.resolve)
  await office.announceSold("rock", "A1")
  const first = await heard.promise
  stop()
  await office.announceSold("jazz", "B2")
  return { mails, heard: [first, await other.promise] }
}
