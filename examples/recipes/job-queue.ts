/**
 * A queue of typed jobs: workers in any number of processes, jobs for later, a second try for what fails, and a place for
 * what cannot be done. Each job is done at least once, and recognised by its id when it comes twice.
 */
import { Redis, RedisClient, RedisReply, RedisScript, RedisStream } from "@redfx/core"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { run } from "../support/server.ts"

const Mail = Schema.fromJsonString(Schema.Struct({ id: Schema.String, to: Schema.String }))
type Mail = typeof Mail.Type

// The hash tag keeps everything in one slot of a cluster, so that scripts may touch all of it.
const jobs = "{mails}:jobs"
const later = "{mails}:later"
const dead = "{mails}:dead"

/** A job of an id is taken once a day, however often it is given: a caller that got no answer may try again. */
const take = RedisScript.make({
  name: "enqueue-once",
  lua: `
    if not redis.call("SET", KEYS[1], "taken", "NX", "EX", 86400) then return 0 end
    redis.call("XADD", KEYS[2], "*", "job", ARGV[1])
    return 1
  `,
  keys: ({ id }: { readonly id: string; readonly text: string }) => [`{mails}:taken:${id}`, jobs],
  args: ({ text }) => [text],
  result: RedisReply.boolean
})

const enqueue = (mail: Mail) => Effect.flatMap(Schema.encodeEffect(Mail)(mail), (text) => take({ id: mail.id, text }))

const enqueueAt = (mail: Mail, when: Date) =>
  Effect.flatMap(Schema.encodeEffect(Mail)(mail), (text) => Redis.zadd(later, { [text]: when.getTime() }))

/** Moves what is due into the queue, in one step: whoever runs it, and however often, each job moves once. */
const moveDue = RedisScript.make({
  name: "move-due",
  lua: `
    local time = redis.call("TIME")
    local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    local due = redis.call("ZRANGEBYSCORE", KEYS[1], 0, now, "LIMIT", 0, 100)
    for _, job in ipairs(due) do
      redis.call("XADD", KEYS[2], "*", "job", job)
      redis.call("ZREM", KEYS[1], job)
    end
    return #due
  `,
  keys: (from: string, to: string) => [from, to],
  result: RedisReply.integer
})

const scheduler = moveDue(later, jobs).pipe(
  Effect.catch((error) => Effect.logWarning("could not look for jobs that are due", error.message)),
  Effect.repeat(Schedule.spaced("50 millis"))
)

const worker = (name: string, send: (mail: Mail, delivery: number) => Effect.Effect<unknown, unknown>) =>
  RedisStream.consume(
    {
      stream: jobs,
      group: "senders",
      consumer: name,
      createGroup: "0",
      concurrency: 4,
      claimIdle: "100 millis",
      maxDeliveries: 3,
      deadLetter: dead
    },
    ({ deliveries, fields }) =>
      Effect.flatMap(Schema.decodeUnknownEffect(Mail)(fields["job"]), (mail) => send(mail, deliveries))
  )

await run(Effect.gen(function*() {
  const sent = yield* Queue.unbounded<string>()
  const client = yield* RedisClient.RedisClient
  const send = (mail: Mail, delivery: number) =>
    Effect.gen(function*() {
      if (mail.to === "nobody" || (mail.to === "grace" && delivery === 1)) return yield* Effect.fail("no such address")
      // Sent twice only if the process dies between sending and noting it.
      if (yield* client.execute(Redis.exists(`{mails}:sent:${mail.id}`))) return
      yield* Queue.offer(sent, delivery === 1 ? mail.to : `${mail.to} at the second try`)
      yield* client.execute(Redis.set(`{mails}:sent:${mail.id}`, "yes", { ex: "1 day" }))
    })

  const fibers = [
    yield* Effect.forkChild(worker("worker-1", send)),
    yield* Effect.forkChild(worker("worker-2", send)),
    yield* Effect.forkChild(scheduler)
  ]
  const taken = yield* Effect.forEach(["ada", "grace", "nobody"], (to, index) => enqueue({ id: `mail-${index}`, to }))
  yield* Console.log("taken:", [...taken, yield* enqueue({ id: "mail-0", to: "ada" })])
  yield* enqueueAt({ id: "mail-9", to: "alan, who was to wait" }, new Date(Date.now() + 200))

  yield* Console.log("sent:", yield* Queue.takeN(sent, 3))
  yield* Effect.repeat(Redis.xlen(dead), { until: (length) => length > 0, schedule: Schedule.spaced("20 millis") })
  const [letter] = yield* Redis.xrange(dead)
  yield* Console.log("could not be sent:", letter?.fields["job"])
  yield* Fiber.interruptAll(fibers)
}))
