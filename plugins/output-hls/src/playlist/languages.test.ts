import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeCaptions } from './caption-members.js'
import { languageName, languageTag } from './languages.js'

test('codes of ISO 639-2 become the shortest tags of BCP 47, and English names', () => {
  const rows = [
    ['deu', 'de', 'German'],
    ['ger', 'de', 'German'],
    ['fre', 'fr', 'French'],
    ['gsw', 'gsw', 'Swiss German'],
    ['qaa', 'qaa', 'Original'],
    ['mul', 'mul', 'Multiple languages'],
    ['xyz', 'xyz', 'xyz'],
    ['und', 'und', ''],
    ['', 'und', ''],
    ['a"b', 'und', ''],
  ] as const
  for (const [code, tag, name] of rows) assert.deepEqual([languageTag(code), languageName(tag)], [tag, name], code)
})

test('languages of captions are those of the caption service descriptor', () => {
  const service = (code: string, flags: number): number[] => [...Buffer.from(code), flags, 0x3f, 0xff]
  const services = [...service('eng', 0x7e), ...service('spa', 0x7f), ...service('fra', 0xc2)]
  const descriptor = Uint8Array.from([0x86, services.length + 1, 0xe3, ...services])
  assert.deepEqual(describeCaptions(['CC1', 'CC2', 'CC3', 'SERVICE2'], descriptor), [
    { id: 'CC1', language: 'en', name: 'English (CC1)' },
    { id: 'CC2', language: 'und', name: 'CC2' },
    { id: 'CC3', language: 'es', name: 'Spanish (CC3)' },
    { id: 'SERVICE2', language: 'fr', name: 'French (SERVICE2)' },
  ])
  assert.deepEqual(describeCaptions(['CC1'], Uint8Array.of(0x86, 3, 0xff, 0x65, 0x6e)), [
    { id: 'CC1', language: 'und', name: 'CC1' },
  ])
})
