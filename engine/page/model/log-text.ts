// A line of the log as one text: the message, and its further fields.
import type { LogEntry } from './shapes.js'

export function logText({ message, data }: LogEntry): string {
  const more = Object.entries(data).map(([name, value]) => {
    return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`
  })
  return [message, ...more].join('  ')
}
