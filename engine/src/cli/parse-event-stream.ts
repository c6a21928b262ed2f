// Server-sent events (WHATWG HTML, section 9.2) from the bytes of a response, as the control API writes them.

export interface FeedEvent {
  readonly name: string
  readonly data: string
  /** The last one that the stream has named; empty before. */
  readonly id: string
}

/** The engine's longest event is far below; a server that sends more without a line break is no control API. */
const MOST_LENGTH = 8 * 1024 * 1024

export class EventStreamParser {
  readonly #decoder = new TextDecoder()
  #rest = ''
  #name = ''
  #data: string[] = []
  #id = ''

  /** The events that these bytes complete. Throws a RangeError if a line or an event is too long. */
  push(bytes: Uint8Array): readonly FeedEvent[] {
    const events: FeedEvent[] = []
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r?\n/)
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length + this.#data.length > MOST_LENGTH) throw new RangeError('an event is too long')
    for (const line of lines) this.#take(line, events)
    return events
  }

  #take(line: string, events: FeedEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0)
        events.push({ name: this.#name || 'message', data: this.#data.join('\n'), id: this.#id })
      this.#name = ''
      this.#data = []
      return
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id') this.#id = value
  }
}
