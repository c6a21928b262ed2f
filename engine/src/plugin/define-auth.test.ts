import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { AUTH_SCHEMAS } from '../access/auth-schema.js'
import { BUILT_IN_AUTH } from './auth-definition.js'
import { defineAuth } from './define-auth.js'
import { describeDefinition } from './manifest.js'
import { flag } from './options.js'

const option = flag().meta({ description: 'A flag.', reload: 'live' })
const good = {
  type: 'directory',
  summary: 'Asks a directory.',
  options: z.strictObject({ strict: option }),
  examples: [],
  open: () => assert.fail('not opened here'),
}

test('a definition says its kind, and is described like those of nodes', () => {
  const { kind, type, summary, options, consumes } = describeDefinition(defineAuth(good))
  assert.deepEqual([kind, type, summary, consumes], ['auth', 'directory', 'Asks a directory.', undefined])
  assert.deepEqual(
    options.map(({ path, reload }) => [path, reload]),
    [['strict', 'live']],
  )
})

const rows: readonly { readonly name: string; readonly change: object; readonly message: RegExp }[] = [
  { name: 'a type of the engine', change: { type: 'basic' }, message: /is a type that the engine has itself/ },
  {
    name: 'a key of the engine',
    change: { options: z.strictObject({ actions: option }) },
    message: /"actions" is a key of the engine/,
  },
  {
    name: 'an option that cannot change while it runs',
    change: { options: z.strictObject({ strict: flag().meta({ description: 'A flag.' }) }) },
    message: /"strict" must have reload: 'live'/,
  },
  { name: 'no summary', change: { summary: '' }, message: /needs a summary/ },
]

for (const { name, change, message } of rows) {
  test(`a definition with ${name} is refused`, () => {
    assert.throws(() => defineAuth({ ...good, ...change }), message)
  })
}

test('the engine has exactly the types that plugins cannot declare', () => {
  assert.deepEqual(Object.keys(AUTH_SCHEMAS), [...BUILT_IN_AUTH])
})
