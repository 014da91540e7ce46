/**
 * How the parts of a URL are written.
 */

/** A host, in brackets when it is an IPv6 address, and a port. */
export const hostText = (host: string, port: number | undefined): string =>
  (host.includes(":") ? `[${encodeURIComponent(host).replaceAll("%3A", ":")}]` : encodeURIComponent(host)) +
  (port === undefined ? "" : `:${port}`)

/** The path of a unix socket. */
export const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/")
