import { Redis } from "@redfx/core"
import type { RedisCommand } from "@redfx/core"
import { describe, expectTypeOf, it } from "vitest"

describe("Acl", () => {
  it("types replies", () => {
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.aclGetuser>>>()
      .toEqualTypeOf<Redis.AclUser | undefined>()
    expectTypeOf<RedisCommand.Success<ReturnType<typeof Redis.aclGenpass>>>().toEqualTypeOf<string>()
  })

  it("ACL-13: takes passwords or none", () => {
    void Redis.aclSetuser("u", { nopass: true })
    void Redis.aclSetuser("u", { passwords: ["+p"] })
    // @ts-expect-error nopass excludes passwords
    void Redis.aclSetuser("u", { nopass: true, passwords: ["+p"] })
    // @ts-expect-error nopass excludes hashed passwords
    void Redis.aclSetuser("u", { nopass: true, hashedPasswords: ["+p"] })
  })

  it("ACL-14 to ACL-17: asks for a prefix", () => {
    // @ts-expect-error neither + nor -
    void Redis.aclSetuser("u", { passwords: ["p"] })
    // @ts-expect-error neither + nor -
    void Redis.aclSetuser("u", { hashedPasswords: "p" })
    // @ts-expect-error neither + nor -
    void Redis.aclSetuser("u", { categories: ["read"] })
    // @ts-expect-error neither + nor -
    void Redis.aclSetuser("u", { commands: ["get"] })
  })
})
