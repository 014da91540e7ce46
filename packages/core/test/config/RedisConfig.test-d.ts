import type { RedisConfig } from "@redfx/core"
import { RedisPool, RedisStandalone } from "@redfx/core"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { describe, it } from "vitest"

const accept = (_options: RedisConfig.StandaloneOptions): void => {}
const password = Redacted.make("p")

describe("RedisConfig types", () => {
  it("CFG-01, CFG-02, CFG-11: a host and port, or a path, never both", () => {
    accept({})
    accept({ host: "h", port: 1, tls: true, db: 1 })
    accept({ path: "/s", db: 1, password })
    // @ts-expect-error a path and a host
    accept({ path: "/s", host: "h" })
    // @ts-expect-error a path and a port
    accept({ path: "/s", port: 1 })
    // @ts-expect-error a unix socket has no TLS
    accept({ path: "/s", tls: true })
  })

  it("CFG-04: a password is redacted", () => {
    accept({ password })
    // @ts-expect-error a password in the open
    accept({ password: "p" })
    // @ts-expect-error a key in the open
    accept({ tls: { cert: "c", key: "k" } })
  })

  it("CFG-35: unknown names are errors", () => {
    // @ts-expect-error no such option
    accept({ hostname: "h" })
    // @ts-expect-error no such option
    accept({ path: "/s", socketTimeout: 1 })
    // @ts-expect-error no such option of a pool
    accept({ pool: { size: 1 } })
    // @ts-expect-error no such option of TLS
    accept({ tls: { rejectUnauthorized: false } })
    // @ts-expect-error no such limit
    accept({ limits: { depth: 1 } })
    // @ts-expect-error no such option
    RedisStandalone.layer({ charset: "utf-8" })
    // @ts-expect-error no such option
    RedisPool.layer({ maxConnections: 1 })
  })

  it("CFG-13, CFG-15, CFG-21, CFG-34: choices are closed sets", () => {
    accept({ protocol: "auto", connect: "eager", textDecoding: "replace", pool: "single", tls: { verify: "none" } })
    // @ts-expect-error no such version
    accept({ protocol: 4 })
    // @ts-expect-error no such choice
    accept({ connect: true })
    // @ts-expect-error no such choice
    accept({ textDecoding: "ignore" })
    // @ts-expect-error no such choice
    accept({ pool: "shared" })
    // @ts-expect-error no such choice
    accept({ tls: { verify: false } })
  })

  it("CFG-06, CFG-07, CFG-26: times are durations in any form", () => {
    accept({ commandTimeout: 50, connectTimeout: "2 seconds", healthCheckInterval: Duration.minutes(1) })
    // @ts-expect-error no duration
    accept({ commandTimeout: "soon" })
  })

  it("options that may be undefined can be given as undefined", () => {
    accept({ host: undefined, port: undefined, tls: undefined, db: undefined, password: undefined, pool: undefined })
  })
})
