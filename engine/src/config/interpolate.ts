// Interpolation inside one scalar: `${NAME}`, `${NAME:-default}`, `${NAME:?why}`, and `$${` for a literal `${`. What
// comes in is inert: values are never looked through again, and can't change the structure of the document.

export type Environment = Readonly<Record<string, string | undefined>>

export interface InterpolationProblem {
  readonly code: 'CONFIG_INTERPOLATION' | 'CONFIG_UNSET_VARIABLE'
  readonly message: string
  readonly help?: string
  /** The expression as written, `${...}`. */
  readonly expression: string
}

export interface Interpolated {
  readonly text: string
  readonly problems: readonly InterpolationProblem[]
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/

/** The text with its variables in place. An empty variable counts as unset where `:-` or `:?` follows. */
export function interpolate(text: string, env: Environment): Interpolated {
  const problems: InterpolationProblem[] = []
  let out = ''
  let rest = text
  for (let at = rest.indexOf('${'); at !== -1; at = rest.indexOf('${')) {
    if (rest[at - 1] === '$') {
      out += `${rest.slice(0, at - 1)}\${`
      rest = rest.slice(at + 2)
      continue
    }
    const close = rest.indexOf('}', at)
    const expression = close === -1 ? rest.slice(at) : rest.slice(at, close + 1)
    const result = close === -1 ? unclosed(expression) : evaluate(expression, env)
    if (typeof result !== 'string') problems.push(result)
    out += rest.slice(0, at) + (typeof result === 'string' ? result : '')
    rest = rest.slice(at + expression.length)
  }
  return { text: out + rest, problems }
}

function evaluate(expression: string, env: Environment): string | InterpolationProblem {
  const inner = expression.slice(2, -1)
  const name = NAME.exec(inner)?.[0] ?? ''
  const operator = inner.slice(name.length, name.length + 2)
  const argument = inner.slice(name.length + 2)
  if (name === '' || (operator !== '' && operator !== ':-' && operator !== ':?')) {
    return { code: 'CONFIG_INTERPOLATION', message: `${expression} has no valid form`, expression }
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (operator === '' ? value !== undefined : value !== undefined && value !== '') return value ?? ''
  if (operator === ':-') return argument
  const message = `the environment variable ${name} is not set`
  return {
    code: 'CONFIG_UNSET_VARIABLE',
    message: operator === ':?' && argument !== '' ? `${message}: ${argument}` : message,
    help: `set ${name}, or give a default: \${${name}:-default}`,
    expression,
  }
}

function unclosed(expression: string): InterpolationProblem {
  return {
    code: 'CONFIG_INTERPOLATION',
    message: 'a ${ is never closed with }',
    help: 'close it, quote the text if it has a # or a colon in it, or write $${ for a literal ${',
    expression,
  }
}
