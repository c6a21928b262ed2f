import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMMAND_TABLE, commandOf, type Place, VIEWS } from './commands.js'

test('in each place a key has one meaning of that place, and one of all places', () => {
  const check = (what: string, isMeant: (places: readonly Place[] | undefined) => boolean): void => {
    const keys = COMMAND_TABLE.filter(({ places }) => isMeant(places)).flatMap((each) => each.keys)
    const twice = keys.filter((key, at) => keys.indexOf(key) !== at)
    assert.deepEqual(twice, [], what)
  }
  check('everywhere', (places) => places === undefined)
  for (const place of [...VIEWS, 'node', 'help', 'banner'] satisfies readonly Place[]) {
    check(place, (places) => places?.includes(place) === true)
  }
})

test('the command of a place hides that of all places with the same key', () => {
  assert.deepEqual([commandOf('k', 'nodes'), commandOf('k', 'viewers')], ['up', 'kick'])
  assert.deepEqual(
    [commandOf('y', 'nodes'), commandOf('y', 'banner'), commandOf('q', 'banner')],
    ['copy', 'apply', undefined],
  )
})

test('no key is part of the sequence of an arrow key, which a slow link splits', () => {
  for (const { name, keys } of COMMAND_TABLE) assert.ok(!keys.some((key) => key === '[' || key === 'O'), name)
})
