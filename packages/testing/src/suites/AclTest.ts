import { assert, describe, layer } from "@effect/vitest"
import type { RedisClient } from "@redfx/core"
import { Redis } from "@redfx/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createHash } from "node:crypto"
import { freshKey, requireCommand } from "../Suite.ts"

const digest = (password: string): string => createHash("sha256").update(password).digest("hex")

/** Runs with the name of a user that no other test uses, and deletes the user. */
const withUser = <A, E, R>(body: (user: string) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => freshKey("user").replaceAll(":", "_")),
    body,
    (user) => Effect.orDie(Redis.aclDeluser(user))
  )

const user = (name: string) =>
  Effect.flatMap(
    Redis.aclGetuser(name),
    (found) => found === undefined ? Effect.die(`no ${name}`) : Effect.succeed(found)
  )

/** Access control, on whatever Layer of one server is given. */
export const AclTest = <E>(client: Layer.Layer<RedisClient.RedisClient, E>): void => {
  describe("Acl", () => {
    layer(client)((it) => {
      it.effect("ACL-01: lists categories, and the commands of one", () =>
        Effect.gen(function*() {
          assert.includeMembers([...yield* Redis.aclCat()], ["read", "write", "dangerous"])
          assert.include([...yield* Redis.aclCat("hash")], "hget")
          assert.strictEqual((yield* Effect.flip(Redis.aclCat("none")))._tag, "ResponseError")
        }))

      it.effect("ACL-03: makes passwords", () =>
        Effect.gen(function*() {
          assert.match(yield* Redis.aclGenpass(), /^[0-9a-f]{64}$/)
          assert.match(yield* Redis.aclGenpass(5), /^[0-9a-f]{2}$/)
          assert.notStrictEqual(yield* Redis.aclGenpass(), yield* Redis.aclGenpass())
        }))

      it.effect("ACL-06, ACL-07: needs a file to load from and save to", () =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(Redis.aclLoad()))._tag, "ResponseError")
          assert.strictEqual((yield* Effect.flip(Redis.aclSave()))._tag, "ResponseError")
        }))

      it.effect("ACL-02, ACL-05, ACL-20: lists and deletes users", () =>
        withUser((name) =>
          Effect.gen(function*() {
            yield* Redis.aclSetuser(name)
            assert.includeMembers([...yield* Redis.aclUsers()], ["default", name])
            assert.strictEqual((yield* Redis.aclList()).filter((line) => line.startsWith(`user ${name} off`)).length, 1)
            assert.strictEqual(yield* Redis.aclDeluser(name, `${name}_not`), 1)
            assert.strictEqual(yield* Redis.aclDeluser([]), 0)
            assert.strictEqual(yield* Redis.aclGetuser(name), undefined)
            assert.strictEqual((yield* Effect.flip(Redis.aclDeluser("default")))._tag, "ResponseError")
          })
        ))

      it.effect("ACL-21: tells whom a connection is", () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* Redis.aclWhoami(), "default")
        }))

      it.effect("ACL-04, ACL-08, ACL-12, REC-04: creates a user", () =>
        withUser((name) =>
          Effect.gen(function*() {
            assert.strictEqual(
              yield* Redis.aclSetuser(name, {
                enabled: true,
                passwords: { add: [Redacted.make("one"), "two"] },
                categories: ["+hash"],
                commands: ["+get"],
                keys: ["a:*", "b"]
              }),
              true
            )
            const { categories, commands, enabled, keys, passwords } = yield* user(name)
            assert.strictEqual(enabled, true)
            assert.sameMembers([...passwords], [digest("one"), digest("two")])
            assert.deepStrictEqual(categories, ["-@all", "+@hash"])
            assert.deepStrictEqual(commands, ["+get"])
            assert.deepStrictEqual(keys, ["a:*", "b"])
          })
        ))

      it.effect("ACL-12, ACL-19: adds rules to those that are there, except that the user is disabled", () =>
        withUser((name) =>
          Effect.gen(function*() {
            yield* Redis.aclSetuser(name, { enabled: true, passwords: "+one", commands: ["+get"], keys: ["a"] })
            yield* Redis.aclSetuser(name, { passwords: "+two", commands: ["+set"], keys: ["b"] })
            const changed = yield* user(name)
            assert.strictEqual(changed.enabled, false)
            assert.deepStrictEqual(changed.flags.has("off"), true)
            assert.sameMembers([...changed.passwords], [digest("one"), digest("two")])
            assert.deepStrictEqual(changed.keys, ["a", "b"])
            assert.includeMembers([...changed.commands], ["+get", "+set"])
          })
        ))

      it.effect("ACL-09, ACL-10, ACL-11: takes rules away before new ones are added", () =>
        withUser((name) =>
          Effect.gen(function*() {
            const all = { enabled: true, passwords: ["+one"], commands: ["+get"], keys: ["a"] } as const
            yield* Redis.aclSetuser(name, all)
            yield* Redis.aclSetuser(name, { resetkeys: true, resetpass: true, keys: ["b"], passwords: ["+two"] })
            assert.deepStrictEqual((yield* user(name)).keys, ["b"])
            assert.deepStrictEqual((yield* user(name)).passwords, [digest("two")])
            assert.include([...(yield* user(name)).commands], "+get")
            yield* Redis.aclSetuser(name, { reset: true, enabled: true, keys: ["c"] })
            const anew = yield* user(name)
            assert.deepStrictEqual([anew.keys, anew.passwords, anew.commands], [["c"], [], []])
            assert.strictEqual(anew.enabled, true)
          })
        ))

      it.effect("ACL-11, ACL-13: lets any password in until passwords are reset", () =>
        withUser((name) =>
          Effect.gen(function*() {
            yield* Redis.aclSetuser(name, { nopass: true })
            assert.strictEqual((yield* user(name)).flags.has("nopass"), true)
            yield* Redis.aclSetuser(name, { resetpass: true })
            assert.strictEqual((yield* user(name)).flags.has("nopass"), false)
          })
        ))

      it.effect("ACL-14, ACL-15: removes passwords", () =>
        withUser((name) =>
          Effect.gen(function*() {
            yield* Redis.aclSetuser(name, { passwords: ["+one", "+two"], hashedPasswords: [`+${digest("three")}`] })
            yield* Redis.aclSetuser(name, { passwords: ["-one"], hashedPasswords: { remove: digest("two") } })
            assert.deepStrictEqual((yield* user(name)).passwords, [digest("three")])
            assert.strictEqual(
              (yield* Effect.flip(Redis.aclSetuser(name, { passwords: "-four" })))._tag,
              "ResponseError"
            )
          })
        ))

      it.effect("ACL-14, ACL-16, ACL-18: what was set is what the user may do", () =>
        withUser((name) =>
          Effect.gen(function*() {
            const key = freshKey("a")
            yield* Redis.aclSetuser(name, {
              enabled: true,
              passwords: { add: Redacted.make("secret") },
              categories: ["+@string"],
              commands: ["-set", "+acl"],
              keys: ["a:*"]
            })
            yield* Redis.withConnection(Effect.gen(function*() {
              assert.strictEqual(yield* Redis.auth({ username: name, password: "secret" }), true)
              assert.strictEqual(yield* Redis.aclWhoami(), name)
              assert.strictEqual(yield* Redis.get(key), undefined)
              assert.strictEqual((yield* Effect.flip(Redis.set(key, "v")))._tag, "NoPermissionError")
              assert.strictEqual((yield* Effect.flip(Redis.get("b")))._tag, "NoPermissionError")
            }))
          })
        ))

      it.effect("tells what was refused", () =>
        withUser((name) =>
          Effect.gen(function*() {
            yield* Effect.flip(Redis.withConnection(Redis.auth({ username: name, password: "wrong" })))
            const entry = (yield* Redis.aclLog(50)).find(({ username }) => username === name)
            assert.strictEqual(entry?.reason, "auth")
            assert.strictEqual(entry?.context, "toplevel")
            assert.strictEqual(entry?.count, 1)
            assert.isBelow(entry?.ageSeconds ?? Infinity, 60)
            assert.match(entry?.clientInfo.cmd ?? "", /^(auth|hello)$/)
            assert.strictEqual(yield* Redis.aclLogReset(), true)
          })
        ))

      it.effect("tries a command", (context) =>
        withUser((name) =>
          Effect.gen(function*() {
            yield* requireCommand(context, "ACL|DRYRUN")
            yield* Redis.aclSetuser(name, { commands: ["+get"], keys: ["a"] })
            assert.strictEqual(yield* Redis.aclDryrun(name, "GET", "a"), undefined)
            assert.include(yield* Redis.aclDryrun(name, "SET", "a", "1"), "no permissions")
            assert.include(yield* Redis.aclDryrun(name, "GET", "b"), "'b' key")
            assert.strictEqual((yield* Effect.flip(Redis.aclDryrun(`${name}_not`, "GET", "a")))._tag, "ResponseError")
          })
        ))

      it.effect("REC-04: reads channels and selectors, where servers have them", (context) =>
        withUser((name) =>
          Effect.gen(function*() {
            yield* requireCommand(context, "ACL|DRYRUN")
            yield* Redis.aclSetuser(name, {
              resetchannels: true,
              clearselectors: true,
              channels: ["c:*", "d"],
              readKeys: ["r"],
              writeKeys: ["w"],
              selectors: ["+set ~z"],
              sanitizePayload: false
            })
            const { channels, keys, selectors } = yield* user(name)
            assert.deepStrictEqual(channels, ["c:*", "d"])
            assert.deepStrictEqual(keys, ["%R~r", "%W~w"])
            assert.strictEqual(selectors?.length, 1)
            assert.deepStrictEqual(selectors?.[0]?.commands, ["+set"])
            assert.deepStrictEqual(selectors?.[0]?.keys, ["z"])
          })
        ))
    })
  })
}
