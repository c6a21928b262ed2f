// Another value for an option, found by its kind: what a reload could set.
import type { AnyDefinition } from '../../plugin/auth-definition.js'
import { describeOptions } from '../../plugin/option-meta.js'
import type { OptionRow } from '../../plugin/option-meta.js'

export type YamlOptions = Readonly<Record<string, unknown>>

/** In the order in which they are tried. */
const VALUES: readonly unknown[] = [
  ...[true, false, 1, 2, 3, 10, 100, 500, '1s', '2s', '10s', '300ms', '1MiB', '64KiB', '4MiB', '4Mb/s', '10/s', '5/s'],
  ...[
    'http://127.0.0.1:1/other',
    '127.0.0.1:1',
    '/other',
    'other-value',
    'other',
    ['other'],
    [],
    {},
    { 'X-Other': 'a' },
  ],
]

/** Options of a class that a running node takes: leaves, with a path that can be set. */
export function liveRows(definition: AnyDefinition): readonly OptionRow[] {
  return describeOptions(definition.options).filter(
    ({ path, kind, reload }) => reload === 'live' && kind !== 'group' && !/[[*]/.test(path),
  )
}

/** The options with another value at that path; undefined if the kit knows none that the schema takes. */
export function withOtherValue(
  { options: schema }: AnyDefinition,
  options: YamlOptions,
  { path, kind }: Pick<OptionRow, 'path' | 'kind'>,
): YamlOptions | undefined {
  const now = JSON.stringify(schema.parse(options))
  for (const value of [
    ...kind.split(' | '),
    ...kind.split(' | ').map((word) => [word.replace(/^list of /, '')]),
    ...VALUES,
  ]) {
    const changed = withValue(options, path.split('.'), value)
    const parsed = schema.safeParse(changed)
    if (parsed.success && JSON.stringify(parsed.data) !== now) return changed
  }
  return undefined
}

/** A copy with that value at that path. */
export function withValue(options: YamlOptions, [key = '', ...rest]: readonly string[], value: unknown): YamlOptions {
  if (rest.length === 0) return { ...options, [key]: value }
  const inner = options[key]
  const group = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as YamlOptions) : {}
  return { ...options, [key]: withValue(group, rest, value) }
}
