// Checks the values of a file against a zod schema: every issue becomes a diagnostic at the key or value that it
// concerns.
import { dirname, isAbsolute, resolve } from 'node:path'
import type { z } from 'zod'
import { coreOf, defOf, keysOf, kindOf, schemaAt } from '../../plugin/option-kind.js'
import type { OptionKind } from '../../plugin/option-kind.js'
import { optionMeta, writtenInstead } from '../../plugin/option-meta.js'
import { visitOptions } from '../../plugin/visit-options.js'
import type { ConfigErrorCode } from '../report/config-errors.js'
import type { Place, Problems } from '../report/diagnostic.js'
import { didYouMean, nearestWord } from '../report/did-you-mean.js'
import { isPlain, namedSecretsIn, secretsIn, showsNamedSecret } from './plain-secrets.js'
import { hasUnresolved, isNull, locate, plainOf } from '../source/yaml-tree.js'
import type { YamlMap, YamlValue } from '../source/yaml-tree.js'
import { messageOf } from '../../errors.js'

export interface OptionsRequest {
  readonly schema: z.ZodType
  readonly map: YamlMap
  /** Keys of the map that do not belong to the schema; also suggested for an unknown key. */
  readonly otherKeys: readonly string[]
  /** Underlined when something is missing. */
  readonly place: Place
  /** What the options belong to, such as `input "main"`. */
  readonly title: string
  /** Default paths are relative to this folder; written paths are relative to the folder of their file. */
  readonly folder: string
  /** A missing option is not a mistake. */
  readonly isPartial?: boolean
}

/** A name of a listener, an auth provider or a node, and the place that names it. */
export interface PlacedName {
  readonly name: string
  readonly place: Place
}

export interface PlacedListenerName extends PlacedName {
  /** The protocol that the option needs. */
  readonly protocol: string | undefined
}

/** What a plain zod schema expects, in the words of YAML. */
const EXPECTED: Readonly<Record<string, string>> = {
  object: 'must be a map of options',
  record: 'must be a map',
  array: 'must be a list',
  string: 'must be text',
  number: 'must be a number',
  int: 'must be a whole number',
  boolean: 'must be true or false',
}

/** YAML reads a key without a value, `~` and `null` as nothing. */
const NOTHING_HELP =
  'there is no value here (`~` and `null` mean nothing in YAML): write one, in quotes if it is text, or remove the key'

/** What a bound on the length of a plain zod schema counts, by the origin of the issue. */
const LENGTH_UNITS: Readonly<Record<string, { readonly one: string; readonly many: string }>> = {
  array: { one: 'entry', many: 'entries' },
  string: { one: 'character', many: 'characters' },
}

export interface CheckedOptions {
  /** What the schema returned; undefined if there were problems. */
  readonly options: unknown
  readonly ok: boolean
  /** Nothing was reported, but there are no options either: a value in them is unknown. */
  readonly unknown: boolean
  /** Listeners that the options name, by default or in the file. */
  readonly listeners: readonly PlacedListenerName[]
  /** Auth providers that the options name. */
  readonly auth: readonly PlacedName[]
}

/** The part of a zod issue that is read here; issues of any copy of zod 4 have it. */
interface Issue {
  readonly code?: string | undefined
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly expected?: unknown
  readonly keys?: readonly string[]
  readonly errors?: readonly (readonly Issue[])[]
  readonly values?: readonly unknown[]
  readonly origin?: unknown
  readonly minimum?: unknown
  readonly maximum?: unknown
  readonly params?: Readonly<Record<string, unknown>> | undefined
}

/** Parses the options and makes paths absolute. Reports every mistake. */
export function checkOptions(request: OptionsRequest, problems: Problems): CheckedOptions {
  const { schema, map, place, title } = request
  const listeners: PlacedListenerName[] = []
  const auth: PlacedName[] = []
  let reported = false
  try {
    const plain = plainOf(map, request.otherKeys)
    const known = new Set<string>()
    const given = visitOptions(schema, plain, (kind, value, path) => {
      if (typeof value === 'number' && kind.asWritten === true) return writtenNumber(request, value, path)
      if (typeof value !== 'string') return value
      if (noteSecrets(request, kind, value, path, problems)) known.add(value)
      if (kind.name === 'listener') {
        listeners.push(...placedName(request, value, path).map((named) => ({ ...named, protocol: kind.protocol })))
      }
      if (kind.name === 'auth') auth.push(...placedName(request, value, path))
      return kind.name === 'path' ? readPath(request, kind, value, path, problems) : value
    })
    eachText(plain, (value, path, before) => {
      const secrets = namedSecretsIn(value, path, before)
      for (const each of secrets) problems.mask.add(each)
      problems.mask.addIn(value)
      const isShown = secrets.length > 0 || showsNamedSecret(value, path, before)
      if (isShown && !known.has(value)) warnIfPlain(request, path, problems)
    })
    const result = schema.safeParse(given)
    if (result.success) return { options: result.data, ok: true, unknown: false, listeners, auth }
    const issues = (result.error.issues as readonly Issue[]).flatMap((issue) => flatten(issue, request))
    for (const issue of issues) reported = reportIssue(issue, request, problems) || reported
  } catch (error) {
    const reason = messageOf(error)
    problems.report('PLUGIN_FAULT', place, `the options of ${title} cannot be checked: ${reason}`)
    reported = true
  }
  return { options: undefined, ok: false, unknown: !reported, listeners, auth }
}

/** YAML reads `007` as 7, and `1.50` as 1.5. */
function writtenNumber({ map, place }: OptionsRequest, value: number, path: readonly PropertyKey[]): number | string {
  const { value: found } = locate(map, path, place)
  return found.kind === 'scalar' && Object.is(found.value, value) ? (found.source ?? value) : value
}

/** Makes a path absolute. What it names is looked for later. */
function readPath(
  request: OptionsRequest,
  { exists, is }: OptionKind,
  value: string,
  path: readonly PropertyKey[],
  problems: Problems,
): string {
  const absolute = absolutePath(request, value, path)
  const { value: found, place, isThere } = locate(request.map, path, request.place)
  const isKnown = isThere && !hasUnresolved(found) && !value.includes('${') && isAbsolute(absolute)
  if ((exists ?? is) !== undefined && isKnown) {
    const title = `"${pathText(path)}" of ${request.title}`
    problems.files.push({ path: absolute, written: value, place, title, exists, is })
  }
  return absolute
}

function absolutePath({ map, place, folder }: OptionsRequest, value: string, path: readonly PropertyKey[]): string {
  if (value === '-' || value === '' || isAbsolute(value)) return value
  const found = locate(map, path, place)
  return resolve(found.isThere ? dirname(found.value.place.file.path) : folder, value)
}

/** They are masked from now on. Returns whether it is known if they may stand in a file as they are. */
function noteSecrets(
  request: OptionsRequest,
  kind: OptionKind,
  value: string,
  path: readonly PropertyKey[],
  problems: Problems,
): boolean {
  const secrets = secretsIn(kind, value)
  for (const each of secrets) problems.mask.add(each)
  // What may be plain can have a part that may not, such as a stream key.
  const isWarned = secrets.length > 0 && kind.mayBePlain?.(value) !== true
  if (isWarned) warnIfPlain(request, path, problems)
  return isWarned
}

function warnIfPlain({ map, place, title }: OptionsRequest, path: readonly PropertyKey[], problems: Problems): void {
  const found = locate(map, path, place)
  if (!found.isThere || !isPlain(found.place)) return
  const message = `"${pathText(path)}" of ${title} has a secret in clear`
  problems.report('CONFIG_SECRET_PLAIN', found.place, message, { severity: 'warning', hideSource: true })
}

/** Calls `visit` for each text in the options; `before`: the text before it, in a list. */
function eachText(
  value: unknown,
  visit: (text: string, path: readonly PropertyKey[], before: string | undefined) => void,
  path: readonly PropertyKey[] = [],
  before?: unknown,
): void {
  if (typeof value === 'string') visit(value, path, typeof before === 'string' ? before : undefined)
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) eachText(item, visit, [...path, index], value[index - 1])
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) eachText(item, visit, [...path, key])
}

/** Empty if the name holds a variable that is not set. */
function placedName({ map, place }: OptionsRequest, name: string, path: readonly PropertyKey[]): readonly PlacedName[] {
  const found = locate(map, path, place)
  return found.value.kind === 'scalar' && found.value.unresolved ? [] : [{ name, place: found.place }]
}

// In a union, the branch that matches deepest is the one the user meant. If none matches at all, it is the only branch
// that accepts the type of the value; otherwise the union as a whole is reported.
function flatten(issue: Issue, request: OptionsRequest): readonly Issue[] {
  const { errors = [], path } = issue
  if (issue.code !== 'invalid_union' || errors.length === 0) return [issue]
  // A value that is unknown does not show which branch was meant.
  if (hasUnresolved(locate(request.map, path, request.place).value)) return []
  const depth = (branch: readonly Issue[]): number =>
    Math.max(0, ...branch.map((inner) => inner.path.length + (inner.code === 'unrecognized_keys' ? 1 : 0)))
  const sorted = [...errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)
  const [best = []] = sorted
  const [fitting, ...others] = errors.filter((branch) => branch.every((inner) => codeOf(inner) !== 'CONFIG_WRONG_TYPE'))
  if (depth(best) === 0 && fitting !== undefined && others.length === 0) {
    return fitting.flatMap((inner) => flatten({ ...inner, path: [...path, ...inner.path] }, request))
  }
  if (depth(best) === 0) {
    if (!isOfZod(issue)) return [{ code: 'invalid_type', path, message: issue.message }]
    const messages = new Set(errors.flatMap((branch) => branch.map((inner) => plainMessage(inner))))
    return [{ code: 'invalid_type', path, message: [...messages].join(', or ') }]
  }
  return best.flatMap((inner) => flatten({ ...inner, path: [...path, ...inner.path] }, request))
}

// Returns whether anything was reported.
function reportIssue(issue: Issue, request: OptionsRequest, problems: Problems): boolean {
  if (issue.code === 'unrecognized_keys') return reportUnknownKeys(issue, request, problems)
  const { map, place, title, isPartial = false } = request
  const found = locate(map, issue.path, place)
  if (!found.isThere && isPartial) return false
  if (found.isThere ? hasUnresolved(found.value) : found.value.kind === 'scalar' && found.value.unresolved) return false
  const schema = schemaAt(request.schema, issue.path)
  if (isPartial && isRuleBetweenKeys(issue, schema)) return false
  const name = pathText(issue.path)
  if (!found.isThere) {
    const description = schema === undefined ? '' : optionMeta(schema).description
    const help = description === '' ? undefined : `${name}: ${description}`
    problems.report('CONFIG_MISSING_KEY', found.place, `${title} needs "${name}"`, { help })
    return true
  }
  const isSecret = schema !== undefined && kindOf(coreOf(schema))?.name === 'secret'
  problems.report(codeOf(issue), found.place, issueText(issue, name, title), {
    help: nearestHelp(found.value, schema, issue),
    hideSource: isSecret,
  })
  return true
}

/** A rule between the keys of a group, such as "one of two is needed": the other keys may be set elsewhere. */
function isRuleBetweenKeys({ code }: Issue, schema: z.core.$ZodType | undefined): boolean {
  return code === 'custom' && schema !== undefined && defOf(coreOf(schema)).type === 'object'
}

function reportUnknownKeys(issue: Issue, request: OptionsRequest, problems: Problems): boolean {
  const { map, place, title, otherKeys } = request
  const { value } = locate(map, issue.path, place)
  const schema = schemaAt(request.schema, issue.path)
  const known = [...(schema === undefined ? [] : keysOf(schema)), ...(issue.path.length === 0 ? otherKeys : [])]
  for (const key of issue.keys ?? []) {
    const at = (value.kind === 'map' ? value.entries.get(key)?.key : undefined) ?? place
    const owner = issue.path.length === 0 ? title : `"${pathText(issue.path)}" of ${title}`
    const instead = schema === undefined ? undefined : writtenInstead(schema, key)
    const help = instead ?? didYouMean(key, known, 'known keys')
    problems.report('CONFIG_UNKNOWN_KEY', at, `${owner} has no option "${key}"`, { help })
  }
  return true
}

function codeOf(issue: Issue): ConfigErrorCode {
  const { code, params } = issue
  if (code === 'invalid_type' || params?.['problem'] === 'type') return 'CONFIG_WRONG_TYPE'
  if (code === 'too_small' || code === 'too_big' || params?.['problem'] === 'range') return 'CONFIG_OUT_OF_RANGE'
  return 'CONFIG_WRONG_VALUE'
}

function issueText(issue: Issue, name: string, title: string): string {
  const message = plainMessage(issue)
  if (name === '') return `${title}: ${message}`
  return message.startsWith('must ') ? `"${name}" of ${title} ${message}` : `"${name}" of ${title}: ${message}`
}

function nearestHelp(value: YamlValue, schema: z.core.$ZodType | undefined, issue: Issue): string | undefined {
  if (isNull(value)) return NOTHING_HELP
  const core = schema === undefined ? undefined : coreOf(schema)
  const words = core === undefined ? [] : (kindOf(core)?.values ?? Object.values(defOf(core).entries ?? {}))
  const options = [...words, ...(issue.values ?? [])].filter((word) => typeof word === 'string')
  const written = value.kind === 'scalar' ? value.value : undefined
  // A word that is in the list is wrong for another reason.
  const isMisspelt = typeof written === 'string' && !options.includes(written)
  const near = isMisspelt ? nearestWord(written, options) : undefined
  if (near !== undefined) return `did you mean "${near}"?`
  const description = schema === undefined ? '' : optionMeta(schema).description
  return description === '' ? undefined : `${pathText(issue.path)}: ${description}`
}

function plainMessage(issue: Issue): string {
  const { code, expected, message } = issue
  const isType = code === 'invalid_type' && typeof expected === 'string' && isOfZod(issue)
  const words = isType ? EXPECTED[expected] : lengthMessage(issue)
  return words ?? message.replace(/^Invalid (input|option): /, '')
}

/** A schema with a message of its own says more than we can. */
function isOfZod({ message }: Issue): boolean {
  return message.startsWith('Invalid input')
}

/** For the length of a plain zod list or text, unless its schema has a message of its own. */
function lengthMessage({ message, origin, minimum, maximum }: Issue): string | undefined {
  const unit = typeof origin === 'string' ? LENGTH_UNITS[origin] : undefined
  if (unit === undefined || !/^Too (small|big): expected /.test(message)) return undefined
  const [bound, count] = minimum === undefined ? ['most', maximum] : ['least', minimum]
  return `must have at ${bound} ${String(count)} ${Number(count) === 1 ? unit.one : unit.many}`
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`))
    .join('')
}
