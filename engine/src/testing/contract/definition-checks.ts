// Rules about what a definition says: texts, examples, metrics, manifest. Nothing is opened.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parseYaml } from '../../config/source/read-yaml.js'
import { Problems } from '../../config/report/diagnostic.js'
import { AUTH_KEYS } from '../../plugin/auth-definition.js'
import type { AnyDefinition } from '../../plugin/auth-definition.js'
import type { Definition } from '../../plugin/contract.js'
import { ENGINE_KEYS } from '../../plugin/define.js'
import { LISTENER_KEYS } from '../../plugin/listener.js'
import { definitionSchema, describeDefinition } from '../../plugin/manifest.js'
import { describeOptions } from '../../plugin/option-meta.js'
import { readPackage } from '../../plugin/plugin-package.js'
import type { Check } from './check.js'

/** Units that are no base units, as words of a name. */
const OTHER_UNITS =
  /(?:^|_)(?:ms|millis|milliseconds|us|micros|microseconds|minutes|hours|days|bits|kb|kib|mb|mib|kbps|mbps|bps|percent)(?:_|$)/
/** What is measured in a unit, as the last word of a name. */
const NEEDS_UNIT = /_(?:age|delay|duration|time|latency|uptime|lag|jitter|size|length|memory)$/
const HISTOGRAM_UNIT = /_(?:seconds|bytes|ratio)$/
/** Names that Millrace gives to what every stream has. */
const STREAM_METRICS: readonly string[] = ['keyframe_age_seconds']

export const texts: Check<AnyDefinition> = {
  title: 'every option has a description, and every example is valid',
  run: async ({ definition }) => {
    for (const { path, description } of describeOptions(definition.options))
      assert.notEqual(description, '', `option ${path} has no description`)
    for (const { title, yaml } of definition.examples) {
      for (const [name, node] of Object.entries(await nodesOf(yaml))) {
        const typeKey = definition.kind === 'listener' ? 'protocol' : 'type'
        assert.equal(node[typeKey], definition.type, `example "${title}": ${name} is of another type`)
        const own = Object.entries(node).filter(([key]) => !keysOfEngine(definition).includes(key))
        const given = Object.fromEntries(own)
        const issues = definition.options.safeParse(given).error?.issues ?? []
        // The value of a variable or a secret is not known.
        const wrong = issues.filter(({ path }) => !String(valueAt(given, path)).includes('${'))
        assert.deepEqual(wrong, [], `example "${title}" is refused`)
      }
    }
  },
}

export const metricNames: Check<AnyDefinition> = {
  title: 'the names of its metrics begin with its type, and have base units',
  applies: ({ definition }) => (definition.metrics ?? []).length > 0,
  run: async ({ definition: { kind, type, metrics = [] } }) => {
    const [word = type] = type.split('-')
    for (const { name, kind: metricKind } of metrics) {
      const prefixes = [`${word}_`, `${kind}_${word}_`]
      const hasPrefix = prefixes.some((prefix) => name.startsWith(prefix)) || STREAM_METRICS.includes(name)
      assert.ok(hasPrefix, `metric ${name}: begin its name with ${prefixes.join(' or ')}`)
      const unit = OTHER_UNITS.exec(name)?.[0].replaceAll('_', '')
      assert.equal(unit, undefined, `metric ${name}: ${unit} is no base unit, use seconds, bytes or ratio`)
      const isMissing = NEEDS_UNIT.test(name) || (metricKind === 'histogram' && !HISTOGRAM_UNIT.test(name))
      assert.ok(!isMissing, `metric ${name}: end its name with its unit (_seconds, _bytes, _ratio)`)
    }
  },
}

export const manifest: Check<AnyDefinition> = {
  title: 'its manifest says what the definition says',
  run: async ({ definition, folder }) => {
    const described = describeDefinition(definition)
    const text = JSON.stringify(described)
    assert.deepEqual(JSON.parse(JSON.stringify(definitionSchema.parse(JSON.parse(text)))), JSON.parse(text))
    const path = folder === undefined ? undefined : (await readPackage(folder).catch(() => undefined))?.manifest
    // It is written when the plugin is built; before that there is none.
    if (path === undefined || !existsSync(path)) return
    const { definitions } = JSON.parse(await readFile(path, 'utf8')) as {
      definitions: { kind: string; type: string }[]
    }
    const written = definitions.find(({ kind, type }) => kind === definition.kind && type === definition.type)
    assert.deepEqual(written, JSON.parse(text), `${path} is old: run \`engine plugins manifest\``)
  },
}

export const pure: Check = {
  title: 'what it claims and needs depends on its options alone',
  run: async ({ definition, settings: { options = {} } }) => {
    const say = (): string => {
      const parsed = definition.options.parse(options)
      return JSON.stringify([
        definition.exclusive?.(parsed),
        definition.programs?.(parsed),
        'offers' in definition ? definition.offers?.(parsed, 'cam') : undefined,
        portsOf(definition, parsed),
      ])
    }
    assert.equal(say(), say(), 'exclusive(), programs(), offers() or ports() answer differently the second time')
  },
}

function portsOf(definition: Definition, options: unknown): unknown {
  if (definition.kind !== 'transform') return undefined
  return typeof definition.ports === 'function' ? definition.ports(options) : definition.ports
}

function keysOfEngine({ kind }: AnyDefinition): readonly string[] {
  if (kind === 'listener') return LISTENER_KEYS
  return kind === 'auth' ? AUTH_KEYS : ENGINE_KEYS
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((at, key) => (at as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key], value)
}

async function nodesOf(yaml: string): Promise<Record<string, Record<string, unknown>>> {
  const problems = new Problems()
  const { document } = await parseYaml({ name: 'example', path: 'example', text: yaml }, problems)
  assert.ok(document !== undefined, `not YAML: ${yaml}`)
  return JSON.parse(JSON.stringify(document.contents)) as Record<string, Record<string, unknown>>
}
