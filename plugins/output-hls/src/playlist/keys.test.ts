import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Keys, parseSavedKeys, type SavedKeys } from './keys.js'

function open(before?: SavedKeys): { keys: Keys; saved: SavedKeys[] } {
  const saved: SavedKeys[] = []
  return { keys: new Keys(before, (keys) => saved.push(keys)), saved }
}

const take = (keys: Keys, count: number, rotation: number): readonly string[] =>
  Array.from({ length: count }, () => keys.next(rotation).id)

describe('keys', () => {
  test('change after as many segments as the option says; with 0 never', () => {
    const { keys } = open()
    const ids = take(keys, 6, 3)
    assert.deepEqual(new Set(ids.slice(0, 3)).size, 1)
    assert.deepEqual(new Set(ids.slice(3)).size, 1)
    assert.notEqual(ids[0], ids[3])
    assert.deepEqual(new Set([...take(keys, 100, 0), ids[5]]).size, 1)
    assert.notEqual(keys.next(1).id, ids[5])
  })

  test('are different, of 128 bits, and come from the saved secret again', () => {
    const { keys, saved } = open()
    const [one, two] = [keys.next(1), keys.next(1)]
    assert.notDeepEqual(keys.aes(one.id), keys.aes(two.id))
    assert.match(one.iv, /^[0-9a-f]{32}$/)
    assert.equal(keys.aes(one.id).key.length, 16)
    const again = open(saved.at(-1)).keys
    assert.deepEqual(again.aes(one.id), keys.aes(one.id))
    assert.deepEqual(again.describe(two.id), two)
    assert.notDeepEqual(open().keys.aes(one.id), keys.aes(one.id))
  })

  test('are given out while a segment needs them', () => {
    const { keys } = open()
    const { id } = keys.next(0)
    assert.equal(keys.find(id, true), undefined)
    keys.add(id)
    keys.add(id)
    keys.remove(id)
    assert.deepEqual(keys.find(id, false), keys.aes(id).key)
    keys.remove(id)
    assert.equal(keys.find(id, true), undefined)
    assert.equal(keys.find('0123456789abcdef', true), undefined)
  })

  test('of the last process are given out for a while; one that never changes goes on, others do not', () => {
    const { keys, saved } = open()
    const ids = take(keys, 3, 1)
    const { keys: again } = open(saved.at(-1))
    assert.deepEqual(again.find(ids[0]!, true), keys.aes(ids[0]!).key)
    assert.equal(again.find(ids[0]!, false), undefined)
    assert.equal(open(saved.at(-1)).keys.next(0).id, ids[2])
    assert.ok(!ids.includes(again.next(1).id))
  })

  test('are saved each time there is a new one, and not all of them', () => {
    const { keys, saved } = open()
    take(keys, 200, 2)
    assert.equal(saved.length, 100)
    assert.equal(saved.at(-1)?.ids.length, 64)
    assert.equal(new Set(saved.map(({ secret }) => secret)).size, 1)
  })
})

test('saved keys that are damaged, or of something else, are not taken', () => {
  const { keys, saved } = open()
  keys.next(0)
  const text = JSON.stringify(saved[0])
  const parse = (json: string) => parseSavedKeys(new TextEncoder().encode(json))
  assert.deepEqual(parse(text), saved[0])
  const bad = [
    '',
    'null',
    '[]',
    text.slice(0, -2),
    text.replace('"secret":"', '"secret":"x'),
    text.replace('ids', 'id'),
  ]
  for (const json of bad) assert.equal(parse(json), undefined, json)
})
