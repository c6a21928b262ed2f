// Interpolation inside one scalar: `${NAME}`, `${NAME:-default}`, `${NAME:?why}`, `${secret:name}`, and `$${` for a
// literal `${`. What comes in is inert: values are never looked through again, and can't change the structure of the
// document.
import { didYouMean } from './did-you-mean.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where values come from. */
export interface Values {
  readonly env: Environment
  /** By name; undefined for one that is declared and could not be read, which has been reported. */
  readonly secrets: ReadonlyMap<string, string | undefined>
  /** What is not set is no mistake: it is not known, and nothing is said of what it stands in. */
  readonly noEnv: boolean
}

export interface InterpolationProblem {
  readonly code: 'CONFIG_INTERPOLATION' | 'CONFIG_UNSET_VARIABLE' | 'CONFIG_UNKNOWN_SECRET'
  readonly message: string
  readonly help?: string | undefined
  /** The expression as written, `${...}`. */
  readonly expression: string
}

export interface Interpolated {
  readonly text: string
  readonly problems: readonly InterpolationProblem[]
  /** Something in it is not known. */
  readonly unresolved: boolean
}

type Result = { readonly value: string } | { readonly problem: InterpolationProblem } | 'unknown'

const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)(.*))?$/s
const SECRET = 'secret:'
const SECRET_NAME = /^[a-z][a-z0-9-]*$/

/** The text with its variables in place. An empty variable counts as unset where `:-` or `:?` follows. */
export function interpolate(text: string, values: Values): Interpolated {
  const problems: InterpolationProblem[] = []
  let unresolved = false
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
    const result = close === -1 ? unclosed(expression) : evaluate(expression, values)
    unresolved ||= result === 'unknown' || 'problem' in result
    if (result !== 'unknown' && 'problem' in result) problems.push(result.problem)
    out += rest.slice(0, at) + (result !== 'unknown' && 'value' in result ? result.value : '')
    rest = rest.slice(at + expression.length)
  }
  return { text: out + rest, problems, unresolved }
}

function evaluate(expression: string, { env, secrets, noEnv }: Values): Result {
  const inner = expression.slice(2, -1)
  if (inner.startsWith(SECRET)) return evaluateSecret(expression, inner.slice(SECRET.length), secrets)
  const [, name = '', operator = '', argument = ''] = VARIABLE.exec(inner) ?? []
  if (name === '') {
    return { problem: { code: 'CONFIG_INTERPOLATION', message: `${expression} has no valid form`, expression } }
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (value !== undefined && (operator === '' || value !== '')) return { value }
  if (operator === ':-') return { value: argument }
  return noEnv ? 'unknown' : { problem: unset(name, argument, expression) }
}

function unset(name: string, why: string, expression: string): InterpolationProblem {
  const message = `the environment variable ${name} is not set`
  return {
    code: 'CONFIG_UNSET_VARIABLE',
    message: why === '' ? message : `${message}: ${why}`,
    help: `set ${name}, or give a default: \${${name}:-default}`,
    expression,
  }
}

function evaluateSecret(expression: string, name: string, secrets: Values['secrets']): Result {
  if (!SECRET_NAME.test(name)) {
    const help = 'write ${secret:name}; a secret has no default'
    const message = `${expression} has no valid form`
    return { problem: { code: 'CONFIG_INTERPOLATION', message, help, expression } }
  }
  if (!secrets.has(name)) {
    const help = didYouMean(name, [...secrets.keys()], 'secrets')
    const message = `there is no secret "${name}"`
    return { problem: { code: 'CONFIG_UNKNOWN_SECRET', message, help, expression } }
  }
  const value = secrets.get(name)
  return value === undefined ? 'unknown' : { value }
}

function unclosed(expression: string): Result {
  return {
    problem: {
      code: 'CONFIG_INTERPOLATION',
      message: 'a ${ is never closed with }',
      help: 'close it, quote the text if it has a # or a colon in it, or write $${ for a literal ${',
      expression,
    },
  }
}
