// Values of options as a plan shows them: in YAML form, on one line, without any secret of either graph, and without the
// values in queries of URLs.
import { maskUrlQueries } from '../graph/mask-url-queries.js'
import { SecretMask } from '../graph/secret-mask.js'
import type { Schema } from '../plugin/option-kind.js'
import { schemaAt } from '../plugin/option-kind.js'
import { writeOptions } from '../plugin/write-options.js'

/** In UTF-16 code units; longer text is cut and ends in `...`. */
export const LONGEST_VALUE = 80
/** Anything deeper, or with more parts, would not fit anyway. */
const DEEPEST = 6
const MOST_PARTS = 32
const ELLIPSIS = '...'

export class OptionText {
  readonly #mask = new SecretMask()

  constructor(masks: readonly SecretMask[]) {
    for (const mask of masks) this.#mask.include(mask)
  }

  /** The value of the option at `steps`; undefined where it has none. Never throws. */
  write(schema: Schema, steps: readonly PropertyKey[], value: unknown): string | undefined {
    if (value === undefined) return undefined
    const part = schemaAt(schema, steps)
    try {
      const shown = maskUrlQueries(this.#mask.maskValue(part === undefined ? value : writeOptions(part, value)))
      return this.plain(renderFlow(shown, 0))
    } catch {
      // A schema may turn an option into something without a text form.
      return `(${typeof value})`
    }
  }

  /** Text that is not the value of an option, masked and cut. */
  plain(text: string): string {
    const shown = this.#mask.mask(text).replaceAll(/\s+/g, ' ')
    if (shown.length <= LONGEST_VALUE) return shown
    // The text must not end in half of a surrogate pair.
    return shown.slice(0, LONGEST_VALUE - ELLIPSIS.length).replace(/[\uD800-\uDBFF]$/, '') + ELLIPSIS
  }
}

function renderFlow(value: unknown, depth: number): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return String(value)
  if (depth > DEEPEST) return ELLIPSIS
  if (Array.isArray(value)) return `[${partsText(value, (item) => renderFlow(item, depth + 1))}]`
  const entries = Object.entries(value)
  if (entries.length === 0) return '{}'
  return `{ ${partsText(entries, ([key, item]) => `${key}: ${renderFlow(item, depth + 1)}`)} }`
}

function partsText<T>(parts: readonly T[], render: (part: T) => string): string {
  const shown = parts.slice(0, MOST_PARTS).map((part) => render(part))
  return [...shown, ...(parts.length > MOST_PARTS ? [ELLIPSIS] : [])].join(', ')
}
