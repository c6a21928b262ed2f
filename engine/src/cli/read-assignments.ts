// Reads `name=value` arguments into an object. A value is text, or JSON where it is JSON.

/** The object, or what is wrong with the arguments. `nested`: `a.b=1` is `{ a: { b: 1 } }`. */
export function readAssignments(values: readonly string[], nested = false): Readonly<Record<string, unknown>> | string {
  const input = emptyObject()
  for (const text of values) {
    const equals = text.indexOf('=')
    const key = text.slice(0, Math.max(0, equals))
    const path = nested ? key.split('.') : [key]
    if (equals <= 0 || path.includes('')) return `"${text}" is not name=value`
    if (!put(input, path, valueOf(text.slice(equals + 1)))) return `"${key}" is given twice`
  }
  return input
}

function put(into: Record<string, unknown>, path: readonly string[], value: unknown): boolean {
  const [step = '', ...rest] = path
  if (rest.length === 0) {
    if (step in into) return false
    into[step] = value
    return true
  }
  const inner = (into[step] ??= emptyObject())
  return isOpen(inner) && put(inner, rest, value)
}

function isOpen(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Without a prototype: any name can be given. */
function emptyObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
