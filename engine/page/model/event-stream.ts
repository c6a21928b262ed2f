// Parses server-sent events (WHATWG HTML, section 9.2.6): text in, events out; bounded.

export interface ServerEvent {
  readonly name: string
  readonly data: string
  readonly id: string | undefined
}

/** A sample of 10,000 nodes is a few megabytes. */
const MOST_CHARACTERS = 16 * 1024 * 1024

export class EventStreamParser {
  #rest = ''
  #name = ''
  #data: string[] = []
  #size = 0
  /** Of the last event that had one: what a client sends as Last-Event-ID. */
  lastId: string | undefined

  /** Throws an Error for an event without end. */
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = []
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length + this.#size > MOST_CHARACTERS) throw new Error('an event of the control API has no end')
    for (const line of lines) {
      if (line === '') this.#finish(events)
      else this.#field(line)
    }
    return events
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'event') this.#name = value
    else if (name === 'id') this.lastId = value
    else if (name === 'data') {
      this.#data.push(value)
      this.#size += value.length
    }
  }

  #finish(events: ServerEvent[]): void {
    if (this.#data.length > 0) {
      events.push({ name: this.#name || 'message', data: this.#data.join('\n'), id: this.lastId })
    }
    this.#name = ''
    this.#data = []
    this.#size = 0
  }
}
