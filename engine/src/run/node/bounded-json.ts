// A copy of what a plugin has returned, as JSON, without secrets. It stops as soon as it is too long: a plugin can return
// any amount, and the event loop waits meanwhile.
import type { Json } from '../../plugin/contract.js'

/** The least that a value takes, with its comma. */
const LEAST_LENGTH = 2

/**
 * Undefined if there is no JSON for the value. `most`: in UTF-16 code units. Throws RangeError, `tooLong` with the bound,
 * if it is longer, and whatever the value throws.
 */
export function boundedJson(
  value: unknown,
  { most, tooLong, mask }: { readonly most: number; readonly tooLong: string; mask(text: string): string },
): Json | undefined {
  let length = 0
  const count = (more: number): void => {
    length += more
    if (length > most) throw new RangeError(`${tooLong} ${most / 1024} KiB`)
  }
  const text = JSON.stringify(value, function (this: unknown, key: string, part: unknown) {
    if (part === undefined) return undefined
    count(LEAST_LENGTH + (Array.isArray(this) ? 0 : key.length))
    if (typeof part !== 'string') return part
    // Before it is masked, which takes longer.
    if (part.length > most) count(part.length)
    const masked = mask(part)
    count(masked.length)
    return masked
  }) as string | undefined
  if (text === undefined) return undefined
  length = 0
  count(text.length)
  return JSON.parse(text) as Json
}
