// Cuts lines of the log that are too long: whoever reads the log has limits of its own, and one line must not displace
// thousands of others. A cut JSON line can still be parsed.

/** In characters. */
export const MAX_LINE = 16 * 1024
/** A line that is too long keeps this much of each of its texts, objects as JSON. */
const MAX_VALUE = 2048
/** And this many values; `level`, `time` and `node` come first. */
const MAX_VALUES = 5

/** `line` ends with a line break. */
export function cutLine(line: string): string {
  if (line.length <= MAX_LINE) return line
  const fields = parseFields(line)
  if (fields === undefined) return `${line.slice(0, MAX_LINE)}…\n`
  const { msg, ...others } = fields
  const kept = Object.entries(others).slice(0, MAX_VALUES)
  const short = Object.fromEntries(kept.map(([key, value]) => [cut(key), shortened(value)]))
  return `${JSON.stringify({ ...short, cutFrom: line.length, ...(msg === undefined ? {} : { msg: shortened(msg) }) })}\n`
}

function shortened(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > MAX_VALUE ? cut(text) : value
}

function cut(text: string): string {
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text
}

function parseFields(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const fields: unknown = JSON.parse(line)
    return typeof fields === 'object' && fields !== null ? { ...fields } : undefined
  } catch {
    return undefined
  }
}
