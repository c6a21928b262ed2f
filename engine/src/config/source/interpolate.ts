// Interpolation inside one scalar: `${NAME}`, `${NAME:-default}`, `${NAME:?why}`, `${secret:name}`, and `$${` for a
// literal `${`. Inserted values are inert: they are not interpolated again, and cannot change the structure of the
// document. `${param:name}` is left for the expansion of the template, and `${stream}` for the copies of a pattern
// pipeline.
import { didYouMean } from '../report/did-you-mean.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where values come from. */
export interface Values {
  readonly env: Environment
  /** By name; undefined for a declared secret that could not be read, which has been reported. */
  readonly secrets: ReadonlyMap<string, string | undefined>
  /** An unset variable is not a mistake: its value is unknown, and the text that contains it is not checked. */
  readonly noEnv: boolean
}

interface InterpolationProblem {
  readonly code: 'CONFIG_INTERPOLATION' | 'CONFIG_UNSET_VARIABLE' | 'CONFIG_UNKNOWN_SECRET'
  readonly message: string
  readonly help?: string | undefined
  /** The expression as written, `${...}`. */
  readonly expression: string
}

export interface ParameterReference {
  readonly name: string
  /** As written, `${param:name}`. */
  readonly expression: string
}

/** A text of a template or of a pattern pipeline: fixed pieces, and parameters between them. */
export interface Pattern {
  readonly parts: readonly (string | ParameterReference)[]
  /** Something else in it is unknown, and stays unknown. */
  readonly unresolved: boolean
}

export interface Interpolated {
  readonly text: string
  /** Present only if there are parameters. */
  readonly pattern?: Pattern
  readonly problems: readonly InterpolationProblem[]
  /** A value in it is unknown. */
  readonly unresolved: boolean
}

type Result =
  | { readonly value: string }
  | { readonly problem: InterpolationProblem }
  | { readonly parameter: ParameterReference }
  | 'unknown'

/** Characters of a text after interpolation. */
export const LONGEST_TEXT = 256 * 1024
/** Mistakes reported for one text. */
const MOST_PROBLEMS = 20
const MOST_EXPRESSIONS = 1000

const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:-|:\?)(.*))?$/s
const SECRET = 'secret:'
const SECRET_NAME = /^[a-z][a-z0-9-]*$/
const PARAMETER = 'param:'
/** The key of a published stream, which each copy of a pattern pipeline fills in. No parameter has this name. */
export const STREAM = '$stream'
const STREAM_WORD = 'stream'
const LITERAL = '$${'
/** Parameters are named like options. */
export const PARAMETER_NAME = /^[a-z][A-Za-z0-9-]{0,63}$/

/** The text with its expressions replaced. An empty variable counts as unset where `:-` or `:?` follows. */
export function interpolate(text: string, values: Values): Interpolated {
  const problems: InterpolationProblem[] = []
  const parts: (string | ParameterReference)[] = []
  let unresolved = false
  let out = ''
  let length = 0
  let count = 0
  let at = 0
  for (const expression of expressionsOf(text)) {
    out += text.slice(at, expression.start)
    at = expression.end
    const result = evaluate(expression, values)
    if (result !== 'unknown' && 'parameter' in result) {
      parts.push(out, result.parameter)
      length += out.length
      out = ''
    } else if (result !== 'unknown' && 'value' in result) out += result.value
    else unresolved = true
    if (result !== 'unknown' && 'problem' in result) problems.push(result.problem)
    count += 1
    if (count <= MOST_EXPRESSIONS && length + out.length <= LONGEST_TEXT && problems.length < MOST_PROBLEMS) continue
    if (problems.length < MOST_PROBLEMS) problems.push(tooMuch(expression.text))
    return { text: '', problems, unresolved: true }
  }
  out += text.slice(at)
  if (parts.length === 0) return { text: out, problems, unresolved }
  const pattern = { parts: [...parts, out].filter((part) => part !== ''), unresolved }
  return { text: '', problems, unresolved: true, pattern }
}

interface Expression {
  readonly start: number
  readonly end: number
  readonly text: string
}

function* expressionsOf(text: string): Generator<Expression> {
  for (let start = text.indexOf('${'); start !== -1;) {
    const isLiteral = text[start - 1] === '$'
    const close = isLiteral ? -1 : text.indexOf('}', start)
    const end = isLiteral ? start + 2 : close === -1 ? text.length : close + 1
    const from = isLiteral ? start - 1 : start
    yield { start: from, end, text: text.slice(from, end) }
    start = text.indexOf('${', end)
  }
}

function evaluate({ text: expression }: Expression, values: Values): Result {
  if (expression === LITERAL) return { value: '${' }
  if (!expression.endsWith('}')) return unclosed(expression)
  const inner = expression.slice(2, -1)
  if (inner === STREAM_WORD) return { parameter: { name: STREAM, expression } }
  if (inner.startsWith(PARAMETER)) return evaluateParameter(expression, inner.slice(PARAMETER.length))
  if (inner.startsWith(SECRET)) return evaluateSecret(expression, inner.slice(SECRET.length), values.secrets)
  return evaluateVariable(expression, inner, values)
}

function evaluateVariable(expression: string, inner: string, { env, noEnv }: Values): Result {
  const [, name = '', operator = '', argument = ''] = VARIABLE.exec(inner) ?? []
  if (name === '') {
    return { problem: { code: 'CONFIG_INTERPOLATION', message: `${expression} is not a valid expression`, expression } }
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
    const message = `${expression} is not a valid expression`
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

function evaluateParameter(expression: string, name: string): Result {
  if (PARAMETER_NAME.test(name)) return { parameter: { name, expression } }
  const help = 'write ${param:name}; its default belongs where the parameter is declared'
  return {
    problem: { code: 'CONFIG_INTERPOLATION', message: `${expression} is not a valid expression`, help, expression },
  }
}

function tooMuch(expression: string): InterpolationProblem {
  const message = `the text has more than ${MOST_EXPRESSIONS} \${...} expressions, or more than ${LONGEST_TEXT} characters after interpolation`
  return { code: 'CONFIG_INTERPOLATION', message, help: 'shorten the values', expression }
}

function unclosed(expression: string): Result {
  return {
    problem: {
      code: 'CONFIG_INTERPOLATION',
      message: 'a ${ is never closed with }',
      help: 'close it, quote the text if it contains a # or a colon, or write $${ for a literal ${',
      expression,
    },
  }
}
