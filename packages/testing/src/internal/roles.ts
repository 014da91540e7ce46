/**
 * What scripted servers answer to ROLE.
 */
import * as Encode from "../RedisFakeReply.ts"

export const master = Encode.array([Encode.bulk("master"), Encode.integer(0), Encode.array([])])

/** A replica that is connected to its master. */
export const replicaOf = ({ host, port }: { readonly host: string; readonly port: number }): Encode.Encoded =>
  Encode.array([
    Encode.bulk("slave"),
    Encode.bulk(host),
    Encode.integer(port),
    Encode.bulk("connected"),
    Encode.integer(0)
  ])
