// The data of an event that a plugin emits: bounded, and without secrets. Events are kept, and sent to every reader.
import type { EventData } from '../../observe/events.js'

const MAX_KEYS = 32
/** In characters, of a key or of a text. */
const MAX_TEXT = 1024

export function eventData(data: EventData, mask: (text: string) => string): EventData {
  const shown = Object.entries(data).slice(0, MAX_KEYS)
  return Object.fromEntries(
    shown.map(([key, value]) => [key.slice(0, MAX_TEXT), typeof value === 'string' ? cut(mask(value)) : value]),
  )
}

/** The kind of an event, as a plugin names it. */
export function eventKind(kind: string): string {
  return kind.slice(0, MAX_TEXT)
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}
