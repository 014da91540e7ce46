/**
 * Says what failures of sockets mean, and what to try after each.
 */
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import type * as Socket from "effect/socket/Socket"
import type { ConnectionSettings } from "../../RedisConfig.ts"
import type { Endpoint } from "../../RedisConnector.ts"
import type { CommandError, ConnectionError } from "../../RedisError.ts"
import { connectionLoss, timeLimit } from "../error/events.ts"

type Reason = ConnectionError["reason"]

/** The destination of a connection, and the settings for it. */
export interface Target {
  readonly endpoint: Endpoint
  readonly address: string
  readonly settings: ConnectionSettings
}

/** Whether the connection is encrypted; `undefined` where it cannot be. */
const encrypted = ({ endpoint, settings }: Target): boolean | undefined =>
  endpoint.path === undefined ? settings.tls !== undefined : undefined

// -----------------------------------------------------------------------------
// Certificates
// -----------------------------------------------------------------------------

/**
 * The advice about a certificate that was refused. Advice calls an option `{tls}` that has another name in the settings of
 * some connections; {@link withNames} puts that in.
 */
const trust = "it is not signed by an authority that is trusted; give the authority's certificate as {tls}.ca"
const otherName = "it is for another name; give that name as {tls}.servername, or switch {tls}.checkHostname off"
const dates = "look at its dates, and at the clock of this machine"
const revoked = "it or its list of revoked ones was refused by its authority"
const chain = "it, or one above it, may not be used like this; replace it, or give another {tls}.ca"

/**
 * The codes of OpenSSL's verification, without `X509_V_ERR_`. Node reports those that it has no name for as
 * `UNSPECIFIED`. A signature that fails is that of an authority of the same name, which was made anew. The only code
 * that may pass by itself is about memory, and it is not here.
 */
const verifyCodes: ReadonlyMap<string, string> = new Map(
  ([
    [
      trust,
      `UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_VERIFY_LEAF_SIGNATURE
      DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN CERT_UNTRUSTED CERT_REJECTED NO_ISSUER_PUBLIC_KEY
      SUBJECT_ISSUER_MISMATCH AKID_SKID_MISMATCH AKID_ISSUER_SERIAL_MISMATCH STORE_LOOKUP RPK_UNTRUSTED DANE_NO_MATCH
      CERT_SIGNATURE_FAILURE`
    ],
    [otherName, "HOSTNAME_MISMATCH EMAIL_MISMATCH IP_ADDRESS_MISMATCH ERR_TLS_CERT_ALTNAME_INVALID SUBJECT_NAME_EMPTY"],
    [
      dates,
      `CERT_NOT_YET_VALID CERT_HAS_EXPIRED CRL_NOT_YET_VALID CRL_HAS_EXPIRED ERROR_IN_CERT_NOT_BEFORE_FIELD
      ERROR_IN_CERT_NOT_AFTER_FIELD ERROR_IN_CRL_LAST_UPDATE_FIELD ERROR_IN_CRL_NEXT_UPDATE_FIELD`
    ],
    [
      revoked,
      `CERT_REVOKED UNABLE_TO_GET_CRL UNABLE_TO_GET_CRL_ISSUER UNABLE_TO_DECRYPT_CRL_SIGNATURE CRL_SIGNATURE_FAILURE
      KEYUSAGE_NO_CRL_SIGN UNHANDLED_CRITICAL_CRL_EXTENSION DIFFERENT_CRL_SCOPE CRL_PATH_VALIDATION_ERROR
      OCSP_VERIFY_NEEDED OCSP_VERIFY_FAILED OCSP_CERT_UNKNOWN NO_VALID_SCTS`
    ],
    [
      chain,
      `UNSPECIFIED UNABLE_TO_DECRYPT_CERT_SIGNATURE UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY
      CERT_CHAIN_TOO_LONG INVALID_CA PATH_LENGTH_EXCEEDED INVALID_PURPOSE KEYUSAGE_NO_CERTSIGN
      UNHANDLED_CRITICAL_EXTENSION INVALID_NON_CA PROXY_PATH_LENGTH_EXCEEDED KEYUSAGE_NO_DIGITAL_SIGNATURE
      PROXY_CERTIFICATES_NOT_ALLOWED INVALID_EXTENSION INVALID_POLICY_EXTENSION NO_EXPLICIT_POLICY
      UNSUPPORTED_EXTENSION_FEATURE UNNESTED_RESOURCE PERMITTED_VIOLATION EXCLUDED_VIOLATION SUBTREE_MINMAX
      APPLICATION_VERIFICATION UNSUPPORTED_CONSTRAINT_TYPE UNSUPPORTED_CONSTRAINT_SYNTAX UNSUPPORTED_NAME_SYNTAX
      PATH_LOOP SUITE_B_INVALID_VERSION SUITE_B_INVALID_ALGORITHM SUITE_B_INVALID_CURVE
      SUITE_B_INVALID_SIGNATURE_ALGORITHM SUITE_B_LOS_NOT_ALLOWED SUITE_B_CANNOT_SIGN_P_384_WITH_P_256
      EE_KEY_TOO_SMALL CA_KEY_TOO_SMALL CA_MD_TOO_WEAK INVALID_CALL PROXY_SUBJECT_NAME_VIOLATION
      UNSUPPORTED_SIGNATURE_ALGORITHM SIGNATURE_ALGORITHM_MISMATCH SIGNATURE_ALGORITHM_INCONSISTENCY
      PATHLEN_INVALID_FOR_NON_CA PATHLEN_WITHOUT_KU_KEY_CERT_SIGN KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA
      ISSUER_NAME_EMPTY MISSING_AUTHORITY_KEY_IDENTIFIER MISSING_SUBJECT_KEY_IDENTIFIER EMPTY_SUBJECT_ALT_NAME
      EMPTY_SUBJECT_SAN_NOT_CRITICAL CA_BCONS_NOT_CRITICAL AUTHORITY_KEY_IDENTIFIER_CRITICAL
      SUBJECT_KEY_IDENTIFIER_CRITICAL CA_CERT_MISSING_KEY_USAGE EXTENSIONS_REQUIRE_VERSION_3 EC_KEY_EXPLICIT_PARAMS`
    ]
  ] as const).flatMap(([hint, codes]) => codes.split(/\s+/).map((code) => [code, hint] as const))
)

/**
 * The alerts by which a server refuses this client. With TLS 1.3 they come when the client already takes the connection
 * for open.
 */
const refusedByServer =
  /ALERT_(NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|PROTOCOL_VERSION|UNKNOWN_PSK_IDENTITY|NO_APPLICATION_PROTOCOL)/

const wantsOther = "The server refused this client's TLS; does it ask for another client certificate ({tls}.cert and " +
  "{tls}.key), or for another version of TLS?"
const unusable =
  "TLS could not be established with the certificates that options give; is each of them PEM, and does {tls}.key " +
  "belong to {tls}.cert, with the right {tls}.passphrase?"
const unknownName =
  "The server does not know the name that it was asked for; give the one that it has as {tls}.servername"
const brokenOff = "The server broke the handshake of TLS off; its log may say why"
const speaksTls = "does the server speak TLS on this port (the option {tls})?"
const speaksNone = `TLS could not be established; ${speaksTls}`

/** Advice with the names that its options have for the program. */
const withNames = (advice: string, { settings: { optionPrefix = "" } }: Target): string =>
  advice.replaceAll("{tls}", `${optionPrefix}tls`)

/** The fault of TLS, where there is one. */
const tlsFailure = ({ code, said, text }: Evidence): string | undefined => {
  const certificate = verifyCodes.get(code)
  if (certificate !== undefined) return `The server's certificate was refused: ${certificate}`
  if (refusedByServer.test(text)) return wantsOther
  if (code === "ERR_TLS_FILE") return said
  if (code.startsWith("ERR_OSSL")) return unusable
  if (text.includes("UNRECOGNIZED_NAME")) return unknownName
  // Only a server that speaks TLS sends an alert.
  if (text.includes("_ALERT_")) return brokenOff
  return /^(ERR_SSL|ERR_TLS|EPROTO)/.test(code) ? speaksNone : undefined
}

// -----------------------------------------------------------------------------
// Opening
// -----------------------------------------------------------------------------

/** The error of a dial that failed. */
export const dialFailure = (error: Socket.SocketError, target: Target): CommandError => {
  const { reason } = error
  if (reason._tag === "SocketOpenError" && reason.kind === "Timeout") return openedTooLate(target)
  const found = evidence(error)
  const { code } = found
  const tls = tlsFailure(found)
  const [kind, detail] = tls === undefined ? dialReasonOf(code, target) : ["Tls", tls] as const
  const hint = encrypted(target) === true && (kind === "Reset" || kind === "Other")
    ? `; ${withNames(speaksTls, target)}`
    : ""
  return connectionLoss(
    kind,
    `${withNames(detail, target)}${code === "" ? "" : ` (${code}${triedOf(causeOf(error), target)})`}${hint}`,
    target.address,
    causeOf(error)
  )
}

/** The addresses that a name stood for when it was dialled, which it may not do any more. */
const triedOf = (cause: unknown, { endpoint }: Target): string => {
  const failures = Predicate.hasProperty(cause, "errors") && Array.isArray(cause.errors) ? cause.errors : [cause]
  const tried = failures.flatMap((failure: unknown) =>
    Predicate.hasProperty(failure, "address") && failure.address !== endpoint.host ? [String(failure.address)] : []
  )
  return endpoint.path !== undefined || tried.length === 0 ? "" : `; tried ${[...new Set(tried)].join(", ")}`
}

/** The error of a socket that took longer to open than `connectTimeout`. */
const openedTooLate = (target: Target): CommandError =>
  timeLimit("connect", Duration.toMillis(target.settings.connectTimeout), target.address, notOpenYet(target))

/** What a socket that is not open yet waits for, and what to look at when that does not come. */
export const notOpenYet = (target: Target): string =>
  encrypted(target) === true
    ? `TLS was not established; ${withNames(speaksTls, target)}`
    : `nothing has answered there; ${
      target.endpoint.path === undefined ? "check host, port and firewalls" : "check path"
    }`

/** The meanings of the runtime's error codes; the first match counts. */
const dialReasons: ReadonlyArray<readonly [RegExp, Reason, string]> = [
  [/^ECONNREFUSED$/, "Refused", "The connection was refused; is a server listening there?"],
  [/^ENOENT$/, "Refused", "There is no such socket; is a server listening there?"],
  [/^EACCES$/, "Refused", "The socket may not be opened"],
  [/^ERR_ACCESS_DENIED$/, "Refused", "This process may open no connections; was Node.js started without --allow-net?"],
  [
    /^(EMFILE|ENFILE)$/,
    "Other",
    "This process or machine has as many files open as it may; raise that (ulimit -n), or lower pool.max"
  ],
  [
    /^EADDRNOTAVAIL$/,
    "Other",
    "There is no such address here, or no port left for a connection to this one; lower pool.max"
  ],
  [/^(ENOTFOUND|EAI_\w+)$/, "Dns", "The host name could not be resolved; is it spelled as it is known here?"],
  [/^(ECONNRESET|EPIPE)$/, "Reset", "The connection was reset while it was being opened"]
]

const dialReasonOf = (code: string, { endpoint }: Target): readonly [Reason, string] => {
  if (code === "EINVAL" && endpoint.path !== undefined) return ["Other", "The path is too long for a unix socket"]
  const [, reason = "Other", detail = "The connection could not be opened"] =
    dialReasons.find(([pattern]) => pattern.test(code)) ?? []
  return [reason, detail]
}

// -----------------------------------------------------------------------------
// Losing
// -----------------------------------------------------------------------------

/** The loss of an open connection. `answered` says whether the server has sent anything on it. */
export const lossOf = (error: Socket.SocketError, target: Target, answered: boolean): CommandError => {
  const { address } = target
  const hint = answered ? "" : withNames(hintFor(target), target)
  if (error.reason._tag === "SocketCloseError") {
    return connectionLoss("Closed", `The server closed the connection${hint}`, address)
  }
  const { code, text } = evidence(error)
  return refusedByServer.test(text)
    ? connectionLoss("Tls", `${withNames(wantsOther, target)} (${code})`, address, causeOf(error))
    : connectionLoss("Reset", `The connection was lost${hint}`, address, causeOf(error))
}

/** A hint at why a server may hang up before it has answered anything. */
const hintFor = (target: Target): string => {
  switch (encrypted(target)) {
    case true:
      return (target.settings.tls?.cert ?? target.settings.tls?.clientCertificate) === undefined
        ? " before it said anything; does it ask for a client certificate ({tls}.cert and {tls}.key)?"
        : " before it said anything; does it accept this client's certificate ({tls}.cert)?"
    case false:
      return ` before it said anything; does it want TLS (the option {tls})?${
        target.settings.protocol === 2 ? "" : " Or is it a proxy without HELLO (protocol: 2)?"
      }`
    case undefined:
      return " before it said anything"
  }
}

/** A server that speaks TLS tells a client that does not by an alert, of which these are the first bytes. */
export const isTlsAlert = (bytes: Uint8Array): boolean => bytes[0] === 0x15 && bytes[1] === 0x03

export const answeredWithTls = (target: Target): CommandError =>
  connectionLoss(
    "Tls",
    withNames("The server speaks TLS on this port and the client does not; set the option {tls}", target),
    target.address
  )

const causeOf = (error: Socket.SocketError): unknown => "cause" in error.reason ? error.reason.cause : error

/**
 * What the runtime says of a failure: its code; the message as it is (`said`); and both in the letters of codes (`text`),
 * with the words of the TLS library, which a code such as EPROTO hides.
 */
interface Evidence {
  readonly code: string
  readonly said: string
  readonly text: string
}

const evidence = (error: Socket.SocketError): Evidence => {
  const cause = causeOf(error)
  if (typeof cause !== "object" || cause === null) return { code: "", said: "", text: "" }
  // A dial of several addresses fails with an AggregateError that has the code of the last one.
  const code = "code" in cause ? String(cause.code) : ""
  const said = "message" in cause ? String(cause.message) : ""
  return { code, said, text: `${code} ${said.toUpperCase().replaceAll(" ", "_")}` }
}
