/**
 * What the failures of sockets are told as: what happened, whether a later try
 * may help, and what to set.
 */
import { assert, describe, it } from "@effect/vitest"
import { RedisConfig, RedisError } from "@redfx/core"
import type { TlsOptions } from "@redfx/core/RedisConnector"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Socket from "effect/socket/Socket"
import { dialFailure, isTlsAlert, lossOf } from "../../src/internal/connection/socketFailure.ts"
import type { Target } from "../../src/internal/connection/socketFailure.ts"

const target = (
  options: { readonly tls?: boolean | TlsOptions; readonly path?: string; readonly protocol?: 2 } = {}
): Target => ({
  endpoint: options.path === undefined ? { host: "h", port: 1 } : { path: options.path },
  address: "h:1",
  settings: Effect.runSync(RedisConfig.settings({ tls: options.tls ?? false, protocol: options.protocol }))
})

const opening = (code: string | undefined, message = "") =>
  new Socket.SocketError({
    reason: new Socket.SocketOpenError({
      kind: "Unknown",
      cause: Object.assign(new Error(message), code === undefined ? {} : { code })
    })
  })

const reading = (code: string) =>
  new Socket.SocketError({ reason: new Socket.SocketReadError({ cause: Object.assign(new Error(), { code }) }) })

const dialled = (code: string | undefined, message?: string, tls = true) => {
  const error = dialFailure(opening(code, message), target({ tls }))
  return error._tag === "ConnectionError" ? error : assert.fail(error._tag)
}

/** All of OpenSSL's codes of verification, by their numbers from 1 on, but the one about memory. */
const verifyCodes = `UNSPECIFIED UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_CRL UNABLE_TO_DECRYPT_CERT_SIGNATURE
  UNABLE_TO_DECRYPT_CRL_SIGNATURE UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY CERT_SIGNATURE_FAILURE CRL_SIGNATURE_FAILURE
  CERT_NOT_YET_VALID CERT_HAS_EXPIRED CRL_NOT_YET_VALID CRL_HAS_EXPIRED ERROR_IN_CERT_NOT_BEFORE_FIELD
  ERROR_IN_CERT_NOT_AFTER_FIELD ERROR_IN_CRL_LAST_UPDATE_FIELD ERROR_IN_CRL_NEXT_UPDATE_FIELD
  DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_GET_ISSUER_CERT_LOCALLY
  UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_CHAIN_TOO_LONG CERT_REVOKED NO_ISSUER_PUBLIC_KEY PATH_LENGTH_EXCEEDED
  INVALID_PURPOSE CERT_UNTRUSTED CERT_REJECTED SUBJECT_ISSUER_MISMATCH AKID_SKID_MISMATCH
  AKID_ISSUER_SERIAL_MISMATCH KEYUSAGE_NO_CERTSIGN UNABLE_TO_GET_CRL_ISSUER UNHANDLED_CRITICAL_EXTENSION
  KEYUSAGE_NO_CRL_SIGN UNHANDLED_CRITICAL_CRL_EXTENSION INVALID_NON_CA PROXY_PATH_LENGTH_EXCEEDED
  KEYUSAGE_NO_DIGITAL_SIGNATURE PROXY_CERTIFICATES_NOT_ALLOWED INVALID_EXTENSION INVALID_POLICY_EXTENSION
  NO_EXPLICIT_POLICY DIFFERENT_CRL_SCOPE UNSUPPORTED_EXTENSION_FEATURE UNNESTED_RESOURCE PERMITTED_VIOLATION
  EXCLUDED_VIOLATION SUBTREE_MINMAX APPLICATION_VERIFICATION UNSUPPORTED_CONSTRAINT_TYPE
  UNSUPPORTED_CONSTRAINT_SYNTAX UNSUPPORTED_NAME_SYNTAX CRL_PATH_VALIDATION_ERROR PATH_LOOP
  SUITE_B_INVALID_VERSION SUITE_B_INVALID_ALGORITHM SUITE_B_INVALID_CURVE SUITE_B_INVALID_SIGNATURE_ALGORITHM
  SUITE_B_LOS_NOT_ALLOWED SUITE_B_CANNOT_SIGN_P_384_WITH_P_256 HOSTNAME_MISMATCH EMAIL_MISMATCH
  IP_ADDRESS_MISMATCH DANE_NO_MATCH EE_KEY_TOO_SMALL CA_KEY_TOO_SMALL CA_MD_TOO_WEAK INVALID_CALL STORE_LOOKUP
  NO_VALID_SCTS PROXY_SUBJECT_NAME_VIOLATION OCSP_VERIFY_NEEDED OCSP_VERIFY_FAILED OCSP_CERT_UNKNOWN
  UNSUPPORTED_SIGNATURE_ALGORITHM SIGNATURE_ALGORITHM_MISMATCH SIGNATURE_ALGORITHM_INCONSISTENCY INVALID_CA
  PATHLEN_INVALID_FOR_NON_CA PATHLEN_WITHOUT_KU_KEY_CERT_SIGN KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA
  ISSUER_NAME_EMPTY SUBJECT_NAME_EMPTY MISSING_AUTHORITY_KEY_IDENTIFIER MISSING_SUBJECT_KEY_IDENTIFIER
  EMPTY_SUBJECT_ALT_NAME EMPTY_SUBJECT_SAN_NOT_CRITICAL CA_BCONS_NOT_CRITICAL AUTHORITY_KEY_IDENTIFIER_CRITICAL
  SUBJECT_KEY_IDENTIFIER_CRITICAL CA_CERT_MISSING_KEY_USAGE EXTENSIONS_REQUIRE_VERSION_3 EC_KEY_EXPLICIT_PARAMS
  RPK_UNTRUSTED`.split(/\s+/)

describe("A name", () => {
  it("is told with the addresses that it stood for", () => {
    const refused = (address: string) => Object.assign(new Error(), { code: "ECONNREFUSED", address })
    const messageOf = (cause: Error) => {
      const reason = new Socket.SocketOpenError({ kind: "Unknown", cause })
      return dialFailure(new Socket.SocketError({ reason }), target()).message
    }
    const both = new AggregateError([refused("::1"), refused("10.0.0.1")])
    assert.include(
      messageOf(Object.assign(both, { code: "ECONNREFUSED" })),
      "(ECONNREFUSED; tried ::1, 10.0.0.1) at h:1"
    )
    assert.include(messageOf(refused("10.0.0.1")), "(ECONNREFUSED; tried 10.0.0.1) at h:1")
    assert.include(messageOf(refused("h")), "(ECONNREFUSED) at h:1")
  })
})

describe("A certificate that is refused", () => {
  it("is Tls, with each of OpenSSL's codes, and no later try helps", () => {
    assert.strictEqual(verifyCodes.length, 94)
    for (const code of verifyCodes) {
      const error = dialled(code)
      assert.strictEqual(error.reason, "Tls", code)
      assert.isFalse(RedisError.isRetryable(error), code)
      assert.isFalse(RedisError.isSafeToRetry(error), code)
      assert.include(error.message, code)
      assert.match(error.message, /^The server's certificate was refused: /)
    }
  })

  for (
    const [code, hint] of [
      ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /tls\.ca\b/],
      ["SELF_SIGNED_CERT_IN_CHAIN", /tls\.ca\b/],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", /tls\.ca\b/],
      ["INVALID_CA", /tls\.ca\b/],
      ["INVALID_PURPOSE", /tls\.ca\b/],
      ["HOSTNAME_MISMATCH", /tls\.servername\b/],
      ["ERR_TLS_CERT_ALTNAME_INVALID", /tls\.servername\b/],
      ["CERT_HAS_EXPIRED", /dates/],
      ["ERR_OSSL_X509_KEY_VALUES_MISMATCH", /tls\.key belong to tls\.cert/]
    ] as const
  ) {
    it(`says what to try after ${code}`, () => {
      assert.match(dialled(code).message, hint)
    })
  }

  it("that memory was short for may be taken the next time", () => {
    assert.isTrue(RedisError.isRetryable(dialled("OUT_OF_MEM")))
  })
})

describe("A client that is refused", () => {
  const alerts = [
    "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
    "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE",
    "ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED",
    "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
    "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED",
    "ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR",
    "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"
  ]
  for (const code of alerts) {
    it(`is told so by ${code}, be it while the connection is opened or after that`, () => {
      for (const error of [dialled(code), lossOf(reading(code), target({ tls: true }), false)]) {
        assert.strictEqual(error._tag === "ConnectionError" && error.reason, "Tls")
        assert.isFalse(RedisError.isRetryable(error))
        assert.match(error.message, /tls\.cert and tls\.key/)
      }
    })
  }

  it("by an alert of another kind is not told that the server speaks no TLS", () => {
    const name = dialled("ERR_SSL_TLSV1_UNRECOGNIZED_NAME").message
    assert.match(name, /give the one that it has as tls\.servername/)
    const internal = dialled("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR").message
    assert.match(internal, /broke the handshake of TLS off/)
    for (const message of [name, internal]) assert.notMatch(message, /does the server speak TLS/)
  })

  it("is not meant by an alert about bytes that went wrong on the way: the next connection may do better", () => {
    for (const code of ["ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC", "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC"]) {
      const error = lossOf(reading(code), target({ tls: true }), true)
      assert.strictEqual(error._tag === "ConnectionError" && error.reason, "Reset")
      assert.isTrue(RedisError.isRetryable(error))
    }
  })
})

describe("A server that speaks something else", () => {
  it("than TLS is told by what the library says, whatever the code", () => {
    for (
      const error of [
        dialled("ERR_SSL_WRONG_VERSION_NUMBER"),
        dialled("ERR_SSL_PACKET_LENGTH_TOO_LONG"),
        dialled("EPROTO", "write EPROTO 0A00010B:SSL routines:ssl3_get_record:wrong version number")
      ]
    ) {
      assert.strictEqual(error.reason, "Tls")
      assert.match(error.message, /does the server speak TLS on this port \(the option tls\)\?/)
    }
    const alert = dialled("EPROTO", "write EPROTO 0A000410:SSL routines:tlsv13 alert certificate required")
    assert.match(alert.message, /tls\.cert/)
  })

  it("and hangs up on TLS may speak none; without TLS nothing is said of it", () => {
    for (const code of ["ECONNRESET", undefined]) {
      assert.match(dialled(code).message, /does the server speak TLS on this port \(the option tls\)\?/)
      assert.notMatch(dialled(code, "", false).message, /TLS/)
      assert.isTrue(RedisError.isRetryable(dialled(code)))
    }
  })

  it("and hangs up on a client without TLS before it said anything may want it", () => {
    const closed = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1000 }) })
    assert.match(
      lossOf(closed, target(), false).message,
      /does it want TLS \(the option tls\)\? Or is it a proxy without HELLO \(protocol: 2\)\?/
    )
    assert.notMatch(lossOf(closed, target({ protocol: 2 }), false).message, /HELLO/)
    assert.notMatch(lossOf(closed, target(), true).message, /TLS/)
    assert.notMatch(lossOf(closed, target({ path: "/s" }), false).message, /TLS/)
    assert.match(lossOf(closed, target({ tls: true }), false).message, /client certificate/)
    const given = target({ tls: { cert: "-----BEGIN CERTIFICATE-----", key: Redacted.make("-----BEGIN KEY-----") } })
    assert.match(lossOf(closed, given, false).message, /does it accept this client's certificate \(tls\.cert\)\?/)
  })

  it("tells by an alert, which is no RESP", () => {
    assert.isTrue(isTlsAlert(Uint8Array.of(0x15, 0x03, 0x03, 0, 2, 2, 70)))
    assert.isFalse(isTlsAlert(new TextEncoder().encode("-ERR")))
  })
})

describe("A process or machine that is at its limits", () => {
  for (
    const [code, hint, path] of [
      ["EMFILE", /ulimit -n/],
      ["ENFILE", /ulimit -n/],
      ["EADDRNOTAVAIL", /no port left/],
      ["ERR_ACCESS_DENIED", /--allow-net/],
      ["EINVAL", /too long for a unix socket/, "/s".repeat(200)]
    ] as const
  ) {
    it(`says what to try after ${code}`, () => {
      const error = dialFailure(opening(code), target(path === undefined ? {} : { path }))
      assert.match(error.message, hint)
      assert.include(error.message, code)
      assert.isTrue(RedisError.isSafeToRetry(error))
    })
  }
  it("has no path to shorten after EINVAL where the server has a host", () => {
    const { message } = dialFailure(opening("EINVAL"), target())
    assert.include(message, "The connection could not be opened")
    assert.notInclude(message, "path")
  })
})
