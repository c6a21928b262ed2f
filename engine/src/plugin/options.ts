// The kinds of options: zod schemas that accept the YAML value or its text (interpolation always yields text) and
// refuse empty text; their JSON Schema also allows text that contains `${`. Declare a default in YAML form, with
// `.prefault('10s')`. `.meta({ description, reload })` can stand anywhere in the chain; the outermost wins.
import { z } from 'zod'
import { DURATION_UNITS, EVENT_RATE_UNITS, parseAmount, RATE_UNITS, renderAmount, SIZE_UNITS } from './amounts.js'
import type { Units } from './amounts.js'
import { bindAddressProblem } from './bind-address-problem.js'
import { markKind } from './option-kind.js'
import type { OptionKindName } from './option-kind.js'

/** Bounds, in the unit of the option's value. By default from 0 to what a timer or an integer can hold. */
export interface Bounds {
  readonly min?: number
  readonly max?: number
}

type Reading<T> = { readonly value: T } | { readonly problem: string; readonly range?: true }

interface KindOf<T> {
  readonly name: OptionKindName
  /** JSON Schema of the YAML value, including the alternative of text that contains `${` where it is needed. */
  readonly json: Readonly<Record<string, unknown>>
  read(value: unknown): Reading<T>
  render?(value: T): string
  readonly values?: readonly string[]
  readonly protocol?: string
  readonly range?: string
  readonly exists?: 'required' | 'expected'
  readonly is?: 'file' | 'folder'
  readonly asWritten?: true
  readonly secretParameters?: readonly string[]
  secretParts?(value: string): readonly string[]
  mayBePlain?(value: string): boolean
}

/** setTimeout holds 31 bits. */
const LONGEST_MS = 2 ** 31 - 1
/** The key of a published stream, in front of the port. */
const STREAM_IN_HOST = /\$\{stream\}(?=.*:\d+$)/g
/** In a JSON Schema pattern: the text has an interpolation. */
const INTERPOLATED = '\\$\\{'

/** A whole number. */
export function count(bounds: Bounds = {}): z.ZodType<number, number | string> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds
  return kind({
    name: 'count',
    range: rangeText(bounds, String),
    json: anyOf({ type: 'integer', minimum: min, maximum: max }, text('^-?[0-9]+$')),
    read(value) {
      const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value
      if (!Number.isSafeInteger(number)) return { problem: 'must be a whole number' }
      return within(number as number, min, max, String)
    },
    render: String,
  })
}

/** `true` or `false`. */
export function flag(): z.ZodType<boolean, boolean | 'true' | 'false'> {
  return kind({
    name: 'flag',
    json: anyOf({ type: 'boolean' }, text('^(true|false)$')),
    read(value) {
      if (typeof value === 'boolean') return { value }
      return value === 'true' || value === 'false' ? { value: value === 'true' } : { problem: 'must be true or false' }
    },
    render: String,
  })
}

/** `500ms`, `2s`, `5m`, `1h`; the value is in milliseconds. */
export function duration(bounds: Bounds = {}): z.ZodType<number, string | 0> {
  const form = 'must be a duration with its unit, such as 500ms, 2s, 5m or 1h'
  return amount('duration', DURATION_UNITS, form, bounds, LONGEST_MS)
}

/** `188B`, `64KiB`, `32MiB`; the value is in bytes. */
export function size(bounds: Bounds = {}): z.ZodType<number, string | 0> {
  return amount('size', SIZE_UNITS, 'must be a size with its unit, such as 188B, 64KiB or 32MiB', bounds)
}

/** `800kb/s`, `4Mb/s`; the value is in bits per second. */
export function rate(bounds: Bounds = {}): z.ZodType<number, string | 0> {
  return amount('rate', RATE_UNITS, 'must be a bit rate with its unit, such as 800kb/s or 4Mb/s', bounds)
}

/** `20/s`, `5/m`; the value is in events per second. */
export function eventRate(bounds: Bounds = {}): z.ZodType<number, string | 0> {
  return amount('eventRate', EVENT_RATE_UNITS, 'must be a number of events per time, such as 20/s or 5/m', bounds)
}

/**
 * An absolute URL, kept as written. By default of any scheme. Its password, and the parameters of its query named in
 * `secrets`, are masked, and what `secretParts` finds in it. With `orOther` it can be any other text too: the name of a file or of a device.
 */
export function url(
  allow: {
    readonly schemes?: readonly string[]
    readonly secrets?: readonly string[]
    readonly orOther?: boolean
    secretParts?(value: string): readonly string[]
  } = {},
): z.ZodType<string, string> {
  const schemes = allow.schemes?.map((scheme) => `${scheme}://`).join(' or ')
  const expected = schemes === undefined ? 'must be a URL' : `must be a URL that starts with ${schemes}`
  return kind({
    name: 'url',
    ...(allow.secrets === undefined ? {} : { secretParameters: allow.secrets }),
    ...(allow.secretParts === undefined ? {} : { secretParts: allow.secretParts }),
    json: { type: 'string', minLength: 1 },
    read(value) {
      if (allow.orOther === true) return readPlace(value)
      if (typeof value !== 'string' || !URL.canParse(value)) return { problem: expected }
      const scheme = new URL(value).protocol.slice(0, -1)
      return allow.schemes === undefined || allow.schemes.includes(scheme) ? { value } : { problem: expected }
    },
  })
}

function readPlace(value: unknown): { readonly value: string } | { readonly problem: string } {
  const isText = typeof value === 'string' && value !== '' && !value.includes('\0')
  return isText ? { value } : { problem: 'must be a URL, or the name of a file or device, as text' }
}

/**
 * A path on disk. The configuration makes it absolute, relative to the folder of its YAML file; `-` stays as it is. With
 * `exists`, it looks for the file or folder: a missing one is a mistake (`required`), or a warning where the node waits
 * for it (`expected`). With `is`, a folder is a mistake where a file is meant (sockets, pipes and devices are files), or
 * a file where a folder is meant. By default nothing is looked for.
 */
export function path(
  looks: { readonly exists?: 'required' | 'expected'; readonly is?: 'file' | 'folder' } = {},
): z.ZodType<string, string> {
  return kind({
    name: 'path',
    ...looks,
    json: { type: 'string', minLength: 1 },
    read(value) {
      const good = typeof value === 'string' && value !== '' && !value.includes('\0')
      return good ? { value } : { problem: 'must be the path of a file or folder, as text' }
    },
  })
}

/**
 * Text that must not be shown: neither its value nor its line appears in a message. `engine check` warns of one that stands in
 * a file as it is, unless `mayBePlain` says that this value may.
 */
export function secret(more: { mayBePlain?(value: string): boolean } = {}): z.ZodType<string, string> {
  return kind({ name: 'secret', json: { type: 'string', minLength: 1 }, read: (value) => readText(value), ...more })
}

/** Text of which parts are secret: they are masked, and `engine check` warns where one stands in a file as it is. */
export function textWithSecrets(secretParts: (value: string) => readonly string[]): z.ZodType<string, string> {
  return kind({ name: 'text', json: { type: 'string', minLength: 1 }, read: (value) => readText(value), secretParts })
}

/**
 * An argument of a program: text, which may be empty. In a file, a number needs no quotes: `007` and `1.50` are passed on as
 * they are written.
 */
export function programArgument(): z.ZodType<string, string | number> {
  return kind({
    name: 'text',
    json: anyOf({ type: 'string' }, { type: 'number' }),
    asWritten: true,
    read(value) {
      const argument = Number.isSafeInteger(value) ? String(value) : value
      if (typeof argument !== 'string') return { problem: 'must be text: put it in quotes' }
      return argument.includes('\0') ? { problem: 'must not contain a NUL character' } : { value: argument }
    },
  })
}

/** One of the given words. */
export function choice<const T extends readonly [string, ...string[]]>(...values: T): z.ZodType<T[number], T[number]> {
  return choiceExcept({}, ...values)
}

/** `refused`: words that users may expect, and why they are not among the values; a sentence without a full stop. */
export function choiceExcept<const T extends readonly [string, ...string[]]>(
  refused: Readonly<Record<string, string>>,
  ...values: T
): z.ZodType<T[number], T[number]> {
  return kind<T[number], T[number]>({
    name: 'choice',
    json: anyOf(
      { enum: values.includes('null') ? [...values, null] : values },
      { type: 'string', pattern: INTERPOLATED },
    ),
    read(value) {
      // `fill: null` means the word: without quotes YAML reads it as nothing.
      const found = values.find((word) => word === (value === null ? 'null' : value))
      if (found !== undefined) return { value: found }
      const why = typeof value === 'string' && Object.hasOwn(refused, value) ? `: ${refused[value]}` : ''
      return { problem: `must be one of ${values.join(', ')}${why}` }
    },
    values,
  })
}

/** The name of a listener; the configuration checks that it exists, and that it speaks the protocol. */
export function listenerName(protocol = 'http'): z.ZodType<string, string> {
  return kind({ name: 'listener', protocol, json: { type: 'string', minLength: 1 }, read: (value) => readText(value) })
}

/** The name of an access provider (`auth:`); the configuration checks that it exists. */
export function authName(): z.ZodType<string, string> {
  return kind({ name: 'auth', json: { type: 'string', minLength: 1 }, read: (value) => readText(value) })
}

/** `host:port` to listen on, `[::]:port` for IPv6, port 0 for any free one. */
export function address(): z.ZodType<string, string> {
  return kind({
    name: 'address',
    json: { type: 'string', pattern: `:[0-9]+$|${INTERPOLATED}` },
    read(value) {
      // The key of a stream is not known yet: each copy of the pipeline is checked again with its own.
      const problem = bindAddressProblem(typeof value === 'string' ? value.replaceAll(STREAM_IN_HOST, '1') : value)
      return problem === undefined ? { value: String(value) } : { problem }
    },
  })
}

function amount(
  name: OptionKindName,
  units: Units,
  form: string,
  bounds: Bounds,
  largest = Number.MAX_SAFE_INTEGER,
): z.ZodType<number, string | 0> {
  const { min = 0, max = largest } = bounds
  const words = Object.keys(units).join('|')
  return kind({
    name,
    range: rangeText(bounds, (bound) => renderAmount(bound, units)),
    json: anyOf({ const: 0 }, text(`^[0-9]+(\\.[0-9]+)?(${words})$`)),
    read(value) {
      const number =
        value === 0 || value === '0' ? 0 : typeof value === 'string' ? parseAmount(value, units) : undefined
      if (number === undefined) return { problem: form }
      // Events per second may be a fraction; a piece of a millisecond, a byte or a bit may not.
      if (name !== 'eventRate' && !Number.isInteger(number)) return { problem: `${form}, without a smaller fraction` }
      return within(number, min, max, (bound) => renderAmount(bound, units))
    },
    render: (value) => (value === 0 ? '0' : renderAmount(value, units)),
  })
}

function within(value: number, min: number, max: number, render: (bound: number) => string): Reading<number> {
  if (value < min) return { problem: `must be at least ${render(min)}`, range: true }
  return value > max ? { problem: `must be at most ${render(max)}`, range: true } : { value }
}

/** Empty if no bound was given. */
function rangeText({ min, max }: Bounds, render: (bound: number) => string): string {
  if (min !== undefined && max !== undefined) return `${render(min)} to ${render(max)}`
  if (min !== undefined) return `at least ${render(min)}`
  return max === undefined ? '' : `at most ${render(max)}`
}

function readText(value: unknown): Reading<string> {
  return typeof value === 'string' && value !== '' ? { value } : { problem: 'must be text, and not empty' }
}

function text(pattern: string): Readonly<Record<string, unknown>> {
  return { type: 'string', pattern: `${pattern}|${INTERPOLATED}` }
}

function anyOf(...anyOf: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, unknown>> {
  return { anyOf }
}

// A pipe from "anything" (whose meta is the JSON Schema) to a transform, so that the message is ours and never a
// union's.
function kind<T, In>(of: KindOf<T>): z.ZodType<T, In> {
  const entry = z.unknown().meta({ ...of.json })
  const { render, values, protocol, range, exists, is, asWritten, secretParameters, secretParts, mayBePlain } = of
  markKind(entry, {
    name: of.name,
    ...(values === undefined ? {} : { values }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(exists === undefined ? {} : { exists }),
    ...(is === undefined ? {} : { is }),
    ...(asWritten === undefined ? {} : { asWritten }),
    ...(secretParameters === undefined ? {} : { secretParameters }),
    ...(secretParts === undefined ? {} : { secretParts }),
    ...(mayBePlain === undefined ? {} : { mayBePlain }),
    ...(range === undefined || range === '' ? {} : { range }),
    ...(render === undefined ? {} : { render: (value: unknown) => render.call(of, value as T) }),
  })
  const schema = entry.transform((value, context): T => {
    const reading = of.read(value)
    if ('value' in reading) return reading.value
    const problem = reading.range === true ? 'range' : of.values === undefined ? 'type' : 'value'
    context.issues.push({ code: 'custom', message: reading.problem, input: value, params: { problem } })
    return z.NEVER
  })
  // The entry accepts anything, so that the refusal is ours; its intended input is In.
  return schema as z.ZodType<T> as z.ZodType<T, In>
}
