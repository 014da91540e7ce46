import { Redis } from "@redfx/core"
import { describe, it } from "vitest"

describe("Connection", () => {
  it("takes one way of tracking", () => {
    void Redis.clientTracking("on", { bcast: true, prefix: ["a"] })
    // @ts-expect-error OPTIN and OPTOUT exclude each other
    void Redis.clientTracking("on", { optin: true, optout: true })
    // @ts-expect-error OPTIN and BCAST exclude each other
    void Redis.clientTracking("on", { optin: true, bcast: true })
    // @ts-expect-error PREFIX goes with BCAST
    void Redis.clientTracking("on", { optout: true, prefix: ["a"] })
  })

  it("takes known words", () => {
    // @ts-expect-error no such protocol
    void Redis.hello({ protover: 4 })
    // @ts-expect-error AUTH needs a password
    void Redis.auth({ username: "u" })
  })
})
