// Collects the variants and renditions of a multivariant playlist from its lines.
import type { Finding } from './finding.js'
import { attributeOf } from './playlist.js'
import type { MultivariantPlaylist, Tag, Variant } from './playlist.js'

/** No presentation has that many. */
const MAX_VARIANTS = 1000

export type MultivariantContent = Omit<MultivariantPlaylist, 'version' | 'tags' | 'faults' | 'areIndependent'>

export class MultivariantReader {
  readonly #report: (finding: Finding) => void
  readonly #variants: Variant[] = []
  readonly #iFrames: Variant[] = []
  readonly #renditions: Variant[] = []
  #pending: Tag | undefined

  constructor(report: (finding: Finding) => void) {
    this.#report = report
  }

  tag(tag: Tag): void {
    const { name, line, attributes } = tag
    if (attributes === undefined) return
    if (name === 'EXT-X-STREAM-INF') {
      this.#reportMissingUri()
      this.#pending = tag
    }
    const list =
      name === 'EXT-X-MEDIA' ? this.#renditions : name === 'EXT-X-I-FRAME-STREAM-INF' ? this.#iFrames : undefined
    if (list !== undefined && list.length < MAX_VARIANTS) {
      list.push({ line, uri: attributeOf(tag, 'URI') ?? '', attributes })
    }
  }

  uri(uri: string): void {
    const attributes = this.#pending?.attributes
    if (this.#pending === undefined || attributes === undefined) return
    if (this.#variants.length < MAX_VARIANTS) this.#variants.push({ line: this.#pending.line, uri, attributes })
    this.#pending = undefined
  }

  finish(): MultivariantContent {
    this.#reportMissingUri()
    return {
      kind: 'multivariant',
      variants: this.#variants,
      iFrameVariants: this.#iFrames,
      renditions: this.#renditions,
    }
  }

  #reportMissingUri(): void {
    if (this.#pending === undefined) return
    this.#report({ rule: 'variant-uri-missing', seen: 'EXT-X-STREAM-INF without a URI', line: this.#pending.line })
  }
}
