import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeDefinition } from '../plugin/manifest.js'
import { editorSchema } from './editor-schema.js'
import { EXAMPLE_DEFINITIONS, loadFiles } from './example-config.test.js'

interface Schema {
  readonly properties: Readonly<Record<string, object>>
  readonly definitions: Readonly<
    Record<string, { readonly properties: Readonly<Record<string, object>>; readonly required: readonly string[] }>
  >
}

const schema = editorSchema(EXAMPLE_DEFINITIONS.map(describeDefinition)) as unknown as Schema

test('the schema has the sections that the engine reads, and no others', async () => {
  const { diagnostics } = await loadFiles({ a: 'version: 1\nxxxxxxxxxxxx: {}\n' })
  const [found] = diagnostics.filter(({ code }) => code === 'CONFIG_UNKNOWN_KEY')
  const known = found?.help.replace('known keys: ', '').split(', ') ?? []
  assert.deepEqual(Object.keys(schema.properties).sort(), known.toSorted())
})

test('a node has the engine keys of its kind, and its options', () => {
  const of = (name: string): readonly string[] => Object.keys(schema.definitions[name]?.properties ?? {}).slice(0, 5)
  assert.deepEqual(of('input.file').slice(0, 4), ['type', 'description', 'was', 'timeline'])
  assert.deepEqual(of('output.http-ts').slice(0, 3), ['type', 'from', 'description'])
  assert.deepEqual(of('service.prometheus').slice(0, 4), ['type', 'description', 'was', 'listener'])
  assert.deepEqual(schema.definitions['output.http-ts']?.required.slice(0, 2), ['type', 'from'])
})

test('from takes a list only where the type reads several nodes', () => {
  const from = (name: string): object => schema.definitions[name]?.properties['from'] ?? {}
  assert.ok(!('anyOf' in from('output.http-ts')))
  assert.ok('anyOf' in from('transform.failover'))
})

test('every reference resolves, and everything is JSON', () => {
  const text = JSON.stringify(schema)
  for (const [, name = ''] of text.matchAll(/"#\/definitions\/([^"]+)"/g)) assert.ok(name in schema.definitions, name)
  assert.deepEqual(JSON.parse(text), schema)
})
