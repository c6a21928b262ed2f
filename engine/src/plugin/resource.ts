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
      /** It may lie below a prefix of another node, and is answered in its place. Not for a prefix. By default it may not. */
      readonly overPrefix?: boolean
      /** In a pattern pipeline: what a request receives while nobody publishes its stream. */
      readonly offline?: OfflineAnswer
    }
  | {
      readonly kind: 'udp' | 'tcp'
      readonly address: string
      /** Nodes that share it can hold it at once, but not beside one that does not. By default it is not shared. */
      readonly shared?: boolean
    }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'device'; readonly name: string }

/** How requests wait for a stream that nobody publishes. */
export interface OfflineAnswer {
  /** By default 10 s. */
  readonly waitForMs?: number
  /** The status after that. By default 503. */
  readonly status?: number
  /** Value of the header Access-Control-Allow-Origin. By default the header is not sent. */
  readonly cors?: string | undefined
}
