/**
 * What scripted servers answer to ROLE.
 */
import * as Encode from "../RedisFakeReply.ts"

export const master = Encode.array([Encode.bulk("master"), Encode.integer(0), Encode.array([])])

/** A replica in a state of the link to its master, `connected` unless told. */
export const replicaOf = (
  { host, port }: { readonly host: string; readonly port: number },
  state = "connected"
): Encode.Encoded =>
  Encode.array([
    Encode.bulk("slave"),
    Encode.bulk(host),
    Encode.integer(port),
    Encode.bulk(state),
    Encode.integer(state === "connected" ? 0 : -1)
  ])
