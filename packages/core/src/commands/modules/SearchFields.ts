/**
 * The fields of an index of RediSearch.
 *
 * @since 0.1.0
 */
import * as Arg from "../../RedisArg.ts"

interface NamedField {
  /** The name of a field of a hash, or a path in a JSON document. */
  readonly name: string
  /** The name that queries have for it, by default the one that it has in documents. */
  readonly as?: string | undefined
}

/** A field that cannot be searched cannot be searched for missing values either. */
type FieldOptions =
  & NamedField
  & (
    | { readonly noindex?: boolean | undefined; readonly indexmissing?: undefined }
    | { readonly noindex?: undefined; readonly indexmissing?: boolean | undefined }
  )

interface SortableOptions {
  /** Keeps the value for sorting; `"unf"` keeps text as it is, neither in lower case nor without accents. Default no. */
  readonly sortable?: boolean | "unf" | undefined
}

/**
 * A field of an index: the name of a field of a hash, or a path in a JSON document, which `as` gives a name.
 *
 * - `sortable`: results can be sorted by the field; with `unf` its text is not normalised. `noindex`: the field cannot
 *   be searched, so `indexmissing` does not apply; vectors can always be searched.
 * - `indexmissing`, `indexempty`: documents without the field, or with an empty one, can be searched for.
 * - `attributes`: the attributes of a vector, such as `{ TYPE: "FLOAT32", DIM: 2, DISTANCE_METRIC: "L2" }`.
 *
 * @category search
 * @since 0.1.0
 */
export type FtField =
  | FieldOptions & SortableOptions & {
    /** How the field is indexed. */
    readonly type: "text"
    /** How much a match in this field adds to the score, compared with others. Default 1. */
    readonly weight?: number | undefined
    /** Indexes words as they are, without their stems. Default no. */
    readonly nostem?: boolean | undefined
    /** Finds words that sound alike; the matcher for English is `dm:en`. Default none. */
    readonly phonetic?: string | undefined
    /** Keeps all endings of words, for faster `*end` and `*middle*`. Default no. Since Search 2.6.0. */
    readonly withsuffixtrie?: boolean | undefined
    /** Empty values can be searched for. Default no. Since Search 2.10.0. */
    readonly indexempty?: boolean | undefined
  }
  | FieldOptions & SortableOptions & {
    /** How the field is indexed. */
    readonly type: "tag"
    /** The character between two tags. Default `,` for hashes, none for JSON. */
    readonly separator?: string | undefined
    /** Tags keep their case; by default they are compared in lower case. */
    readonly casesensitive?: boolean | undefined
    /** Keeps all endings of words, for faster `*end` and `*middle*`. Default no. Since Search 2.6.0. */
    readonly withsuffixtrie?: boolean | undefined
    /** Empty values can be searched for. Default no. Since Search 2.10.0. */
    readonly indexempty?: boolean | undefined
  }
  | FieldOptions & SortableOptions & {
    /** How the field is indexed. */
    readonly type: "numeric" | "geo"
  }
  | FieldOptions & {
    /** How the field is indexed. */
    readonly type: "geoshape"
    /** Whether coordinates are on a plane (`"flat"`) or degrees on the earth (`"spherical"`, the server's default). */
    readonly coordSystem?: "flat" | "spherical" | undefined
  }
  | NamedField & {
    /** How the field is indexed. */
    readonly type: "vector"
    /** Documents without the field can be searched for. Default no. Since Search 2.10.0. */
    readonly indexmissing?: boolean | undefined
    /** `flat` compares with every vector, the others are approximate. `svs-vamana` needs Redis 8.2. */
    readonly algorithm: "flat" | "hnsw" | "svs-vamana"
    /** The type, the dimensions and the metric, and what the algorithm can be told, in pairs. */
    readonly attributes: Readonly<Record<string, string | number>>
  }

const fieldArgs = (field: FtField): Arg.List =>
  Arg.list(
    field.name,
    Arg.option("AS", field.as),
    field.type.toUpperCase(),
    typeArgs(field),
    Arg.flag("INDEXMISSING", field.indexmissing),
    "sortable" in field ? sortableArgs(field.sortable) : Arg.none,
    "noindex" in field ? Arg.flag("NOINDEX", field.noindex) : Arg.none
  )

const sortableArgs = (sortable: boolean | "unf" | undefined): Arg.List =>
  sortable === "unf" ? Arg.list("SORTABLE", "UNF") : Arg.flag("SORTABLE", sortable)

const typeArgs = (field: FtField): Arg.List => {
  switch (field.type) {
    case "text":
      return Arg.list(
        Arg.flag("NOSTEM", field.nostem),
        Arg.option("WEIGHT", field.weight),
        Arg.option("PHONETIC", field.phonetic),
        Arg.flag("WITHSUFFIXTRIE", field.withsuffixtrie),
        Arg.flag("INDEXEMPTY", field.indexempty)
      )
    case "tag":
      return Arg.list(
        Arg.option("SEPARATOR", field.separator),
        Arg.flag("CASESENSITIVE", field.casesensitive),
        Arg.flag("WITHSUFFIXTRIE", field.withsuffixtrie),
        Arg.flag("INDEXEMPTY", field.indexempty)
      )
    case "geoshape":
      return Arg.token(field.coordSystem)
    case "vector": {
      const attributes = Object.entries(field.attributes).flat()
      return new Arg.List([field.algorithm.toUpperCase(), attributes.length, ...attributes])
    }
    default:
      return Arg.none
  }
}

/**
 * The fields of an index.
 *
 * @category arguments
 * @since 0.1.0
 */
export const schemaArgs = (fields: ReadonlyArray<FtField>): Arg.List =>
  new Arg.List(Arg.some([fields], "needs at least one field").map(fieldArgs))
