/**
 * Decides to which of the addresses that servers name a client connects, by the rules of the option `accept`.
 */
import * as Effect from "effect/Effect"
import type { RedisConfigError } from "../../RedisError.ts"
import { invalid } from "./checks.ts"
import type { Accept, NodeAddress } from "./options.ts"

type Rule = (address: NodeAddress) => boolean

/**
 * The rule that an option stands for; `undefined` accepts all addresses. Every rule accepts the addresses that options
 * name.
 */
export const acceptance = (
  accept: Accept | undefined,
  given: ReadonlyArray<NodeAddress>
): Effect.Effect<Rule | undefined, RedisConfigError> => {
  if (accept === undefined || accept === "any") return Effect.succeed(undefined)
  const isGiven: Rule = ({ host, port }) => given.some((seed) => seed.port === port && isSameHost(seed.host, host))
  const orGiven = (rule: Rule): Rule => (address) => isGiven(address) || rule(address) === true
  if (typeof accept === "function") return Effect.succeed(orGiven(accept))
  if (accept === "sameHost") return Effect.succeed(({ host }) => given.some((seed) => isSameHost(seed.host, host)))
  if (accept === "sameNetwork") {
    const networks = given.map(({ host }) => networkOf(host))
    return Effect.succeed(orGiven(({ host }) => networks.some((network) => network(host))))
  }
  const texts: unknown = accept
  if (!Array.isArray(texts) || texts.length === 0) return invalid("accept", expected)
  const rules = texts.map((text: unknown) => typeof text === "string" ? ruleOf(text) : undefined)
  const unread = rules.findIndex((rule) => rule === undefined)
  return unread >= 0
    ? invalid("accept", `what stands at ${unread + 1} is none of host, host:port, 10.0.0.0/8, .example.com`)
    : Effect.succeed(orGiven((address) => rules.some((rule) => rule?.(address) === true)))
}

const expected =
  "it must be any, sameHost, sameNetwork, a function, or a list of host, host:port, 10.0.0.0/8, .example.com"

const ruleOf = (text: string): Rule | undefined => {
  const slash = text.indexOf("/")
  if (slash >= 0) {
    const ip = ipOf(text.slice(0, slash))
    const length = /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : Infinity
    return ip === undefined || length > ip.bits ? undefined : ({ host }) => isInNetwork(ip, length, host)
  }
  if (/^\.[\w.-]+$/.test(text)) {
    const suffix = text.toLowerCase()
    return ({ host }) => ipOf(host) === undefined && plain(host).endsWith(suffix)
  }
  if (ipOf(text) !== undefined) return ({ host }) => isSameHost(text, host)
  const [, v6, name, digits] = /^(?:\[([^[\]]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const known = v6 ?? name
  if (known === undefined || v6 !== undefined && ipOf(v6) === undefined) return undefined
  return ({ host, port }) => isSameHost(known, host) && (digits === undefined || port === Number(digits))
}

/** The network of a seed: of an IPv4 address its /24, of an IPv6 address its /64, of a name those under the same parent. */
const networkOf = (seed: string): (host: string) => boolean => {
  const ip = ipOf(seed)
  if (ip !== undefined) return (host) => isInNetwork(ip, ip.bits === 32 ? 24 : 64, host)
  const dot = plain(seed).indexOf(".")
  const parent = dot < 0 ? undefined : plain(seed).slice(dot)
  return (host) =>
    isSameHost(seed, host) ||
    // A parent that is a top-level domain is nobody's network.
    parent !== undefined && parent.includes(".", 1) && ipOf(host) === undefined && plain(host).endsWith(parent)
}

/** A name in one spelling: in lower case, and without the dot of the root. */
const plain = (host: string): string => host.toLowerCase().replace(/\.$/, "")

const isSameHost = (a: string, b: string): boolean => {
  const [one, other] = [ipOf(a), ipOf(b)]
  return one === undefined || other === undefined
    ? one === other && plain(a) === plain(b)
    : one.bits === other.bits && one.value === other.value
}

const isInNetwork = (network: Ip, length: number, host: string): boolean => {
  const ip = ipOf(host)
  const shift = BigInt(network.bits - length)
  return ip !== undefined && ip.bits === network.bits && ip.value >> shift === network.value >> shift
}

interface Ip {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** An IP address; an IPv4 address that is written as one of IPv6 is that of IPv4. */
const ipOf = (text: string): Ip | undefined => {
  const four = ofIpv4(text)
  if (four !== undefined) return { bits: 32, value: four }
  const six = ofIpv6(text)
  if (six === undefined) return undefined
  return six >> 32n === 0xffffn ? { bits: 32, value: six & 0xffffffffn } : { bits: 128, value: six }
}

const ofIpv4 = (text: string): bigint | undefined => {
  const parts = text.split(".", 5)
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined
  return parts.reduce((value, part) => value << 8n | BigInt(part), 0n)
}

const ofIpv6 = (text: string): bigint | undefined => {
  if (!text.includes(":") || text.length > 45) return undefined
  const colon = text.lastIndexOf(":")
  const tail = ofIpv4(text.slice(colon + 1))
  const written = tail === undefined
    ? text
    : `${text.slice(0, colon + 1)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`
  const [head = "", rest, more] = written.split("::")
  if (more !== undefined) return undefined
  const before = head === "" ? [] : head.split(":")
  const after = rest === undefined || rest === "" ? [] : rest.split(":")
  const gap = 8 - before.length - after.length
  if (rest === undefined ? gap !== 0 : gap < 1) return undefined
  const groups = [...before, ...new Array<string>(gap).fill("0"), ...after]
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined
  return groups.reduce((value, group) => value << 16n | BigInt(`0x${group}`), 0n)
}
