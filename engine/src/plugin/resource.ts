/**
 * Something that two nodes can't hold at once. `http`: a path of a listener, and with `prefix` all paths below it; the
 * engine moves it from node to node without a gap. A resource of another kind is released by the old node before the new
 * one opens: `udp` and `tcp` are an address `host:port`, `file` is a path, `device` is anything with a name, such as
 * stdin or a capture card.
 */
export type Resource =
  | {
      readonly kind: 'http'
      readonly listener: string
      /** Decoded, starts with a slash; a prefix ends with one too. */
      readonly path: string
      /** By default only the path itself. */
      readonly prefix?: boolean
    }
  | { readonly kind: 'udp' | 'tcp'; readonly address: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'device'; readonly name: string }
