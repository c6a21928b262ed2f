/**
 * Something that two nodes can't hold at once. `http`: a path of a listener, and all paths below it with `prefix`; the
 * engine moves it from node to node without a gap. All others make the old node release it before the new one opens:
 * `udp` and `tcp` an address `host:port`, `file` a path, `device` anything with a name, such as stdin or a capture card.
 */
export type Resource =
  | {
      readonly kind: 'http'
      readonly listener: string
      /** Decoded, starts with a slash; a prefix ends with one too. */
      readonly path: string
      readonly prefix?: boolean
    }
  | { readonly kind: 'udp' | 'tcp'; readonly address: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'device'; readonly name: string }
