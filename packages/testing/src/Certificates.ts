/**
 * Freshly made certificates for TLS tests: a certificate authority, a server's and a client's certificate signed by it,
 * and another authority that signed neither.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Selfsigned from "selfsigned"

/** A certificate with its private key, as PEM. */
export interface Identity {
  readonly cert: string
  readonly key: Redacted.Redacted<string>
}

/**
 * Certificates of a test. The server's certificate is for the names `localhost` and `redis.test` and the address
 * 127.0.0.1.
 */
export interface Certificates {
  readonly ca: string
  readonly server: Identity
  readonly client: Identity
  /** A server's certificate from the same authority, only for the name `elsewhere.test`. */
  readonly otherName: Identity
  /** A server's certificate from the same authority, only for the name `localhost`, without an address. */
  readonly byName: Identity
  /** An authority that signed none of the above. */
  readonly strangerCa: string
}

type Options = NonNullable<Parameters<typeof Selfsigned.generate>[1]>

const generate = (commonName: string, options: Options) =>
  Selfsigned.generate([{ name: "commonName", value: commonName }], { keyType: "ec", algorithm: "sha256", ...options })

const authority = (commonName: string) =>
  generate(commonName, {
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true }
    ]
  })

const identity = async (
  ca: { readonly cert: string; readonly private: string },
  commonName: string,
  names: ReadonlyArray<string>,
  addresses: ReadonlyArray<string>
): Promise<Identity> => {
  const made = await generate(commonName, {
    ca: { cert: ca.cert, key: ca.private },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...addresses.map((ip) => ({ type: 7 as const, ip }))
        ]
      }
    ]
  })
  return { cert: made.cert, key: Redacted.make(made.private) }
}

/** Makes certificates, which takes about ten milliseconds. */
export const make: Effect.Effect<Certificates> = Effect.promise(async () => {
  const ca = await authority("redfx test authority")
  const stranger = await authority("another authority")
  return {
    ca: ca.cert,
    server: await identity(ca, "localhost", ["localhost", "redis.test"], ["127.0.0.1"]),
    client: await identity(ca, "client", ["client.test"], []),
    otherName: await identity(ca, "elsewhere.test", ["elsewhere.test"], []),
    byName: await identity(ca, "localhost", ["localhost"], []),
    strangerCa: stranger.cert
  }
})
