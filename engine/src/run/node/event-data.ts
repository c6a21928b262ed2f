// The data of an event that a plugin emits: bounded, and without secrets. Events are kept, and sent to every reader.
import { cutText, MAX_TEXT } from '../../plugin/cut-text.js'
import type { EventData } from '../../observe/events.js'

const MAX_KEYS = 32

export function eventData(data: EventData, mask: (text: string) => string): EventData {
  const shown = Object.entries(data).slice(0, MAX_KEYS)
  return Object.fromEntries(
    shown.map(([key, value]) => [key.slice(0, MAX_TEXT), typeof value === 'string' ? cutText(mask(value)) : value]),
  )
}

/** An event of a node, as its plugin names it. */
export function eventOf(
  node: string,
  kind: string,
  data: EventData = {},
  mask: (text: string) => string,
): { readonly kind: string; readonly node: string; readonly data: EventData } {
  return { kind: kind.slice(0, MAX_TEXT), node, data: eventData(data, mask) }
}
